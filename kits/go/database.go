package observe

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// DB opens a database like sql.Open and observes every statement: a client span with db.system, db.operation and
// db.statement (its literals replaced), db_query_duration_seconds by operation and table, and the pool as go_sql_*.
func DB(driverName, dataSourceName string) (*sql.DB, error) {
	plain, err := sql.Open(driverName, dataSourceName)
	if err != nil {
		return nil, fmt.Errorf("observe.DB: %w", err)
	}
	// Opening makes no connection; this one was only to get at the driver.
	found := plain.Driver()
	if err := plain.Close(); err != nil {
		return nil, fmt.Errorf("observe.DB: %w", err)
	}
	var below driver.Connector = dsnConnector{found, dataSourceName}
	if opener, ok := found.(driver.DriverContext); ok {
		if below, err = opener.OpenConnector(dataSourceName); err != nil {
			return nil, fmt.Errorf("observe.DB: %w", err)
		}
	}
	db := sql.OpenDB(Connector(below, driverName))
	active().metrics.registerPool(db, driverName)
	return db, nil
}

// Connector wraps a connector of the program's own, for sql.OpenDB; driverName tells the kind of database.
func Connector(below driver.Connector, driverName string) driver.Connector {
	return connector{below, databaseSystem(driverName)}
}

// databaseSystem is OpenTelemetry's name (db.system) of the database behind a driver.
func databaseSystem(driverName string) string {
	switch name := strings.ToLower(driverName); {
	case strings.HasPrefix(name, "postgres"), strings.HasPrefix(name, "pgx"), name == "pq":
		return "postgresql"
	case strings.HasPrefix(name, "sqlite"):
		return "sqlite"
	case strings.HasPrefix(name, "mysql"):
		return "mysql"
	case name == "sqlserver", name == "mssql":
		return "mssql"
	default:
		return "other_sql"
	}
}

// dsnConnector is for drivers that know no connectors.
type dsnConnector struct {
	driver driver.Driver
	dsn    string
}

func (c dsnConnector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.dsn) }
func (c dsnConnector) Driver() driver.Driver                        { return c.driver }

type connector struct {
	driver.Connector
	system string
}

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	started := time.Now()
	below, err := c.Connector.Connect(ctx)
	if err != nil {
		record(ctx, c.system, statement{operation: "CONNECT", table: "none"}, started, err)
		return nil, err
	}
	return &connection{below, c.system}, nil
}

func (c connector) Close() error {
	if closer, ok := c.Connector.(io.Closer); ok {
		return closer.Close()
	}
	return nil
}

// record makes the span and the measurement of one call into the driver. The span is made afterwards, because only then
// is it known whether there is to be one: driver.ErrSkip means that database/sql will go another way.
func record(ctx context.Context, system string, statement statement, started time.Time, err error) {
	if errors.Is(err, driver.ErrSkip) {
		return
	}
	ended := time.Now()
	service := active()
	name := statement.operation
	attributes := []attribute.KeyValue{attribute.String("db.system", system), attribute.String("db.operation", statement.operation)}
	if statement.table != "none" {
		name += " " + statement.table
		attributes = append(attributes, attribute.String("db.sql.table", statement.table))
	}
	if statement.text != "" {
		attributes = append(attributes, attribute.String("db.statement", statement.text))
	}
	ctx, span := service.tracer.Start(ctx, name,
		trace.WithSpanKind(trace.SpanKindClient), trace.WithTimestamp(started), trace.WithAttributes(attributes...))
	if err != nil {
		span.RecordError(err, trace.WithTimestamp(ended))
		span.SetStatus(codes.Error, err.Error())
		service.metrics.queryErrors.WithLabelValues(statement.operation, statement.table).Inc()
	}
	observe(ctx, service.metrics.queryDuration.WithLabelValues(statement.operation, statement.table), ended.Sub(started).Seconds())
	span.End(trace.WithTimestamp(ended))
}
