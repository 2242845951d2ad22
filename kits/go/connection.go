package observe

import (
	"context"
	"database/sql/driver"
	"errors"
	"time"
)

// connection observes the statements of one connection. database/sql finds out what a driver can by its interfaces;
// this type has them all and answers driver.ErrSkip, or falls back as database/sql would, where the driver lacks one.
type connection struct {
	driver.Conn
	system string
}

var (
	_ driver.ExecerContext      = (*connection)(nil)
	_ driver.QueryerContext     = (*connection)(nil)
	_ driver.ConnPrepareContext = (*connection)(nil)
	_ driver.ConnBeginTx        = (*connection)(nil)
	_ driver.Pinger             = (*connection)(nil)
	_ driver.SessionResetter    = (*connection)(nil)
	_ driver.Validator          = (*connection)(nil)
	_ driver.NamedValueChecker  = (*connection)(nil)
)

func (c *connection) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (result driver.Result, err error) {
	execer, ok := c.Conn.(driver.ExecerContext)
	if !ok {
		return nil, driver.ErrSkip
	}
	started := time.Now()
	result, err = execer.ExecContext(ctx, query, args)
	record(ctx, c.system, parseStatement(query), started, err)
	return result, err
}

func (c *connection) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	queryer, ok := c.Conn.(driver.QueryerContext)
	if !ok {
		return nil, driver.ErrSkip
	}
	started := time.Now()
	rows, err := queryer.QueryContext(ctx, query, args)
	record(ctx, c.system, parseStatement(query), started, err)
	return rows, err
}

func (c *connection) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	var below driver.Stmt
	var err error
	if preparer, ok := c.Conn.(driver.ConnPrepareContext); ok {
		below, err = preparer.PrepareContext(ctx, query)
	} else if below, err = c.Conn.Prepare(query); err == nil && ctx.Err() != nil {
		_ = below.Close()
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	return &preparedStatement{below, c, parseStatement(query)}, nil
}

func (c *connection) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

func (c *connection) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	started := time.Now()
	var below driver.Tx
	var err error
	switch beginner, ok := c.Conn.(driver.ConnBeginTx); {
	case ok:
		below, err = beginner.BeginTx(ctx, options)
	case options.Isolation != 0 || options.ReadOnly:
		err = errors.New("the database driver knows neither isolation levels nor read-only transactions")
	default:
		below, err = c.Conn.Begin() //nolint:staticcheck // the only way such a driver has
	}
	record(ctx, c.system, statement{operation: "BEGIN", table: "none"}, started, err)
	if err != nil {
		return nil, err
	}
	return transaction{below, ctx, c.system}, nil
}

func (c *connection) Ping(ctx context.Context) error {
	if pinger, ok := c.Conn.(driver.Pinger); ok {
		return pinger.Ping(ctx)
	}
	return nil
}

func (c *connection) ResetSession(ctx context.Context) error {
	if resetter, ok := c.Conn.(driver.SessionResetter); ok {
		return resetter.ResetSession(ctx)
	}
	return nil
}

func (c *connection) IsValid() bool {
	if validator, ok := c.Conn.(driver.Validator); ok {
		return validator.IsValid()
	}
	return true
}

func (c *connection) CheckNamedValue(value *driver.NamedValue) error {
	if checker, ok := c.Conn.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(value)
	}
	return driver.ErrSkip
}

// transaction observes the end of a transaction; its spans stand below whatever began it.
type transaction struct {
	driver.Tx
	ctx    context.Context
	system string
}

func (t transaction) Commit() error {
	started := time.Now()
	err := t.Tx.Commit()
	record(t.ctx, t.system, statement{operation: "COMMIT", table: "none"}, started, err)
	return err
}

func (t transaction) Rollback() error {
	started := time.Now()
	err := t.Tx.Rollback()
	record(t.ctx, t.system, statement{operation: "ROLLBACK", table: "none"}, started, err)
	return err
}

// preparedStatement observes the runs of a prepared statement.
type preparedStatement struct {
	driver.Stmt
	connection *connection
	statement  statement
}

func (s *preparedStatement) ExecContext(ctx context.Context, args []driver.NamedValue) (result driver.Result, err error) {
	started := time.Now()
	if execer, ok := s.Stmt.(driver.StmtExecContext); ok {
		result, err = execer.ExecContext(ctx, args)
	} else {
		var values []driver.Value
		if values, err = unnamed(ctx, args); err == nil {
			result, err = s.Stmt.Exec(values) //nolint:staticcheck // the only way such a driver has
		}
	}
	record(ctx, s.connection.system, s.statement, started, err)
	return result, err
}

func (s *preparedStatement) QueryContext(ctx context.Context, args []driver.NamedValue) (rows driver.Rows, err error) {
	started := time.Now()
	if queryer, ok := s.Stmt.(driver.StmtQueryContext); ok {
		rows, err = queryer.QueryContext(ctx, args)
	} else {
		var values []driver.Value
		if values, err = unnamed(ctx, args); err == nil {
			rows, err = s.Stmt.Query(values) //nolint:staticcheck // the only way such a driver has
		}
	}
	record(ctx, s.connection.system, s.statement, started, err)
	return rows, err
}

func (s *preparedStatement) CheckNamedValue(value *driver.NamedValue) error {
	if checker, ok := s.Stmt.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(value)
	}
	return s.connection.CheckNamedValue(value)
}

// unnamed turns arguments into what a driver without contexts takes.
func unnamed(ctx context.Context, args []driver.NamedValue) ([]driver.Value, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	values := make([]driver.Value, len(args))
	for i, arg := range args {
		if arg.Name != "" {
			return nil, errors.New("the database driver knows no named arguments")
		}
		values[i] = arg.Value
	}
	return values, nil
}
