package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"apus/observe"
)

// store keeps products and orders in PostgreSQL.
type store struct{ db *sql.DB }

type product struct {
	ID         int64  `json:"id"`
	Name       string `json:"name"`
	PriceCents int64  `json:"price_cents"`
	Stock      int64  `json:"stock"`
}

type order struct {
	ID         int64     `json:"id"`
	Customer   string    `json:"customer"`
	Status     string    `json:"status"`
	TotalCents int64     `json:"total_cents"`
	PlacedAt   time.Time `json:"placed_at"`
	Items      []item    `json:"items,omitempty"`
}

type item struct {
	ProductID  int64 `json:"product_id"`
	Quantity   int64 `json:"quantity"`
	PriceCents int64 `json:"price_cents,omitempty"`
}

var (
	errNotFound   = errors.New("not found")
	errOutOfStock = errors.New("out of stock")
)

const schema = `
CREATE TABLE IF NOT EXISTS products (id bigint PRIMARY KEY, name text NOT NULL, price_cents bigint NOT NULL, stock bigint NOT NULL);
CREATE TABLE IF NOT EXISTS orders (id bigserial PRIMARY KEY, customer text NOT NULL, status text NOT NULL,
	total_cents bigint NOT NULL, placed_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE IF NOT EXISTS order_items (order_id bigint NOT NULL REFERENCES orders, product_id bigint NOT NULL REFERENCES products,
	quantity bigint NOT NULL, price_cents bigint NOT NULL, PRIMARY KEY (order_id, product_id));`

var assortment = []string{
	"Teapot", "Kettle", "Mug", "Saucer", "Tray", "Strainer", "Caddy", "Whisk", "Spoon", "Cosy", "Green tea", "Black tea",
	"White tea", "Oolong", "Pu-erh", "Chai", "Honey", "Sugar", "Lemon", "Biscuits",
}

// prepare waits for the database, at most patience, and makes the tables and the assortment.
func (s *store) prepare(ctx context.Context, patience time.Duration) error {
	deadline := time.Now().Add(patience)
	for {
		err := s.db.PingContext(ctx)
		if err == nil {
			break
		}
		if ctx.Err() != nil || time.Now().After(deadline) {
			return fmt.Errorf("no database after %s: %w", patience, err)
		}
		observe.Logger(ctx).Warn("waiting for the database", zap.Error(err))
		time.Sleep(time.Second)
	}
	if _, err := s.db.ExecContext(ctx, schema); err != nil {
		return fmt.Errorf("create tables: %w", err)
	}
	for i, name := range assortment {
		_, err := s.db.ExecContext(ctx,
			`INSERT INTO products (id, name, price_cents, stock) VALUES ($1, $2, $3, 1000000) ON CONFLICT (id) DO NOTHING`,
			i+1, name, 199+137*i)
		if err != nil {
			return fmt.Errorf("fill products: %w", err)
		}
	}
	return nil
}

// products lists the assortment; delay holds the statement up in the database, as a missing index would.
func (s *store) products(ctx context.Context, delay time.Duration) ([]product, error) {
	rows, err := s.db.QueryContext(ctx,
		`SELECT id, name, price_cents, stock FROM products, (SELECT pg_sleep($1)) AS held_up ORDER BY id`, delay.Seconds())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var products []product
	for rows.Next() {
		var p product
		if err := rows.Scan(&p.ID, &p.Name, &p.PriceCents, &p.Stock); err != nil {
			return nil, err
		}
		products = append(products, p)
	}
	return products, rows.Err()
}

// recent lists the newest orders, without their items.
func (s *store) recent(ctx context.Context, limit int) ([]order, error) {
	rows, err := s.db.QueryContext(ctx,
		`SELECT id, customer, status, total_cents, placed_at FROM orders ORDER BY id DESC LIMIT $1`, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	orders := []order{}
	for rows.Next() {
		var o order
		if err := rows.Scan(&o.ID, &o.Customer, &o.Status, &o.TotalCents, &o.PlacedAt); err != nil {
			return nil, err
		}
		orders = append(orders, o)
	}
	return orders, rows.Err()
}

// order finds one order with its items.
func (s *store) order(ctx context.Context, id int64) (order, error) {
	var o order
	err := s.db.QueryRowContext(ctx, `SELECT id, customer, status, total_cents, placed_at FROM orders WHERE id = $1`, id).
		Scan(&o.ID, &o.Customer, &o.Status, &o.TotalCents, &o.PlacedAt)
	if errors.Is(err, sql.ErrNoRows) {
		return o, errNotFound
	}
	if err != nil {
		return o, err
	}
	rows, err := s.db.QueryContext(ctx, `SELECT product_id, quantity, price_cents FROM order_items WHERE order_id = $1`, id)
	if err != nil {
		return o, err
	}
	defer rows.Close()
	for rows.Next() {
		var line item
		if err := rows.Scan(&line.ProductID, &line.Quantity, &line.PriceCents); err != nil {
			return o, err
		}
		o.Items = append(o.Items, line)
	}
	return o, rows.Err()
}

// place takes the items out of stock and writes the order, all or nothing.
func (s *store) place(ctx context.Context, customer string, items []item) (order, error) {
	placed := order{Customer: customer, Status: "placed", Items: items}
	transaction, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return placed, err
	}
	defer transaction.Rollback() //nolint:errcheck // after Commit it does nothing

	for i := range items {
		err := transaction.QueryRowContext(ctx,
			`UPDATE products SET stock = stock - $2 WHERE id = $1 AND stock >= $2 RETURNING price_cents`, items[i].ProductID, items[i].Quantity).
			Scan(&items[i].PriceCents)
		if errors.Is(err, sql.ErrNoRows) {
			return placed, fmt.Errorf("product %d: %w", items[i].ProductID, errOutOfStock)
		}
		if err != nil {
			return placed, err
		}
		placed.TotalCents += items[i].PriceCents * items[i].Quantity
	}
	err = transaction.QueryRowContext(ctx,
		`INSERT INTO orders (customer, status, total_cents) VALUES ($1, $2, $3) RETURNING id, placed_at`, customer, placed.Status, placed.TotalCents).
		Scan(&placed.ID, &placed.PlacedAt)
	if err != nil {
		return placed, err
	}
	for _, line := range items {
		_, err := transaction.ExecContext(ctx,
			`INSERT INTO order_items (order_id, product_id, quantity, price_cents) VALUES ($1, $2, $3, $4)`,
			placed.ID, line.ProductID, line.Quantity, line.PriceCents)
		if err != nil {
			return placed, err
		}
	}
	return placed, transaction.Commit()
}

// setStatus moves an order on.
func (s *store) setStatus(ctx context.Context, id int64, status string) error {
	_, err := s.db.ExecContext(ctx, `UPDATE orders SET status = $2 WHERE id = $1`, id, status)
	return err
}
