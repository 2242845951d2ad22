package observe

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"testing"

	"go.opentelemetry.io/otel/trace"
)

// oldDriver has only what every driver must have; newDriver has contexts too. Both know one statement that fails.
type oldDriver struct{}
type oldConn struct{}
type oldStmt struct{ query string }
type oneRow struct{ done bool }

var errRefused = errors.New("refused")

func (oldDriver) Open(string) (driver.Conn, error)               { return oldConn{}, nil }
func (oldConn) Prepare(query string) (driver.Stmt, error)        { return oldStmt{query}, nil }
func (oldConn) Close() error                                     { return nil }
func (oldConn) Begin() (driver.Tx, error)                        { return oldConn{}, nil }
func (oldConn) Commit() error                                    { return nil }
func (oldConn) Rollback() error                                  { return nil }
func (oldStmt) Close() error                                     { return nil }
func (oldStmt) NumInput() int                                    { return -1 }
func (s oldStmt) Exec([]driver.Value) (driver.Result, error)     { return driver.RowsAffected(1), s.err() }
func (s oldStmt) Query(args []driver.Value) (driver.Rows, error) { return &oneRow{}, s.err() }
func (*oneRow) Columns() []string                                { return []string{"n"} }
func (*oneRow) Close() error                                     { return nil }

func (s oldStmt) err() error {
	if s.query == "DELETE FROM guarded" {
		return errRefused
	}
	return nil
}

func (r *oneRow) Next(values []driver.Value) error {
	if r.done {
		return io.EOF
	}
	r.done = true
	values[0] = int64(1)
	return nil
}

type newDriver struct{ oldDriver }
type newConn struct{ oldConn }

func (newDriver) Open(string) (driver.Conn, error) { return newConn{}, nil }
func (newConn) QueryContext(_ context.Context, query string, _ []driver.NamedValue) (driver.Rows, error) {
	return &oneRow{}, oldStmt{query}.err()
}
func (newConn) ExecContext(_ context.Context, query string, _ []driver.NamedValue) (driver.Result, error) {
	return driver.RowsAffected(1), oldStmt{query}.err()
}
func (newConn) BeginTx(context.Context, driver.TxOptions) (driver.Tx, error) { return oldConn{}, nil }

func init() {
	sql.Register("postgres-old", oldDriver{})
	sql.Register("postgres-new", newDriver{})
}

func TestDB(t *testing.T) {
	for _, name := range []string{"postgres-old", "postgres-new"} {
		t.Run(name, func(t *testing.T) {
			service, spans, _ := start(t)
			db, err := DB(name, "")
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			ctx, parent := service.tracer.Start(context.Background(), "parent")

			var n int
			if err := db.QueryRowContext(ctx, "SELECT n FROM numbers WHERE n = 1").Scan(&n); err != nil || n != 1 {
				t.Errorf("read %d, %v", n, err)
			}
			if _, err := db.ExecContext(ctx, "DELETE FROM guarded"); !errors.Is(err, errRefused) {
				t.Errorf("the driver's error became %v", err)
			}
			transaction, err := db.BeginTx(ctx, nil)
			if err != nil {
				t.Fatal(err)
			}
			prepared, err := transaction.PrepareContext(ctx, "INSERT INTO numbers VALUES ($1)")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := prepared.ExecContext(ctx, 5); err != nil {
				t.Error(err)
			}
			if err := transaction.Commit(); err != nil {
				t.Error(err)
			}
			if err := db.PingContext(ctx); err != nil {
				t.Error(err)
			}
			parent.End()
			_ = service.Shutdown(context.Background())

			for _, wanted := range []string{"SELECT numbers", "DELETE guarded", "BEGIN", "INSERT numbers", "COMMIT"} {
				span := spans.named(t, wanted)
				if span.Parent().SpanID() != parent.SpanContext().SpanID() || span.SpanKind() != trace.SpanKindClient || attributeOf(span, "db.system") != "postgresql" {
					t.Errorf("%s: parent %v, kind %v, attributes %v", wanted, span.Parent(), span.SpanKind(), span.Attributes())
				}
			}
			if statement := attributeOf(spans.named(t, "SELECT numbers"), "db.statement"); statement != "SELECT n FROM numbers WHERE n = ?" {
				t.Error(statement)
			}
			if spans.named(t, "DELETE guarded").Status().Code.String() != "Error" {
				t.Error("a failed statement is no error")
			}
			if len(spans.spans) != 6 {
				t.Errorf("%d spans; a statement that database/sql prepares by itself is one", len(spans.spans))
			}
			mustContain(t, scrape(t, service),
				`db_query_duration_seconds_count{operation="SELECT",table="numbers"} 1`,
				`db_query_errors_total{operation="DELETE",table="guarded"} 1.0`, `go_sql_open_connections{db_name="`+name+`"}`)
		})
	}
}

func TestDBNamesAnUnknownDriver(t *testing.T) {
	if _, err := DB("no-such-driver", ""); err == nil {
		t.Error("a driver that is not registered was opened")
	}
}

func TestDatabaseSystem(t *testing.T) {
	for name, system := range map[string]string{
		"postgres": "postgresql", "pgx": "postgresql", "pgx/v5": "postgresql", "mysql": "mysql", "sqlite3": "sqlite", "sqlserver": "mssql", "odd": "other_sql",
	} {
		if got := databaseSystem(name); got != system {
			t.Errorf("%s: %s", name, got)
		}
	}
}
