package observe

import (
	"strings"
	"testing"
)

func TestParseStatement(t *testing.T) {
	for _, test := range []struct{ sql, operation, table, text string }{
		{"SELECT id FROM products WHERE name = 'O''Neil' AND price > 12.5", "SELECT", "products", "SELECT id FROM products WHERE name = ? AND price > ?"},
		{"select *\n\tfrom  \"shop\".\"orders\" o", "SELECT", "orders", `select * from "shop"."orders" o`},
		{"INSERT INTO order_items (a, b) VALUES ($1, $2)", "INSERT", "order_items", "INSERT INTO order_items (a, b) VALUES ($1, $2)"},
		{"UPDATE products SET stock = stock - $2", "UPDATE", "products", "UPDATE products SET stock = stock - $2"},
		{"DELETE FROM only_table", "DELETE", "only_table", "DELETE FROM only_table"},
		{"CREATE TABLE IF NOT EXISTS t (a int)", "CREATE", "t", "CREATE TABLE IF NOT EXISTS t (a int)"},
		{"TRUNCATE TABLE ONLY t", "TRUNCATE", "t", "TRUNCATE TABLE ONLY t"},
		{"WITH new AS (SELECT 1) INSERT INTO t SELECT * FROM new", "SELECT", "t", "WITH new AS (SELECT ?) INSERT INTO t SELECT * FROM new"},
		{"SELECT x FROM (SELECT 1 AS x FROM inner_table) s", "SELECT", "inner_table", "SELECT x FROM (SELECT ? AS x FROM inner_table) s"},
		{"SELECT 1 -- 'a comment\n + 2 /* and 'another */ + 3", "SELECT", "none", "SELECT ? + ? + ?"},
		{"SELECT 1 /*/ not closed */ FROM t", "SELECT", "t", "SELECT ? FROM t"},
		{"BEGIN", "BEGIN", "none", "BEGIN"},
		{"VACUUM t", "OTHER", "none", "VACUUM t"},
		{"", "OTHER", "none", ""},
		{"SELECT 'not closed", "SELECT", "none", "SELECT ?"},
		{"SELECT \"not closed", "SELECT", "none", "SELECT \"not closed"},
		{"/*", "OTHER", "none", ""},
		{"SELECT a FROM `db`.`t`", "SELECT", "t", "SELECT a FROM `db`.`t`"},
		{"SELECT ünïcode FROM tëst", "SELECT", "tëst", "SELECT ünïcode FROM tëst"},
	} {
		parsed := parseStatement(test.sql)
		if parsed.operation != test.operation || parsed.table != test.table || parsed.text != test.text {
			t.Errorf("%q: got %s of %s, %q; want %s of %s, %q",
				test.sql, parsed.operation, parsed.table, parsed.text, test.operation, test.table, test.text)
		}
	}
}

func TestStatementIsBounded(t *testing.T) {
	parsed := parseStatement("SELECT a FROM t WHERE b IN (" + strings.Repeat("é, ", 5000) + ")")
	if len(parsed.text) > statementLengthMax || !strings.HasPrefix(parsed.text, "SELECT a FROM t") {
		t.Errorf("%d bytes: %.40q", len(parsed.text), parsed.text)
	}
	if strings.ToValidUTF8(parsed.text, "?") != parsed.text {
		t.Error("a character was cut in two")
	}
}

func FuzzParseStatement(f *testing.F) {
	f.Add("SELECT 'a' FROM \"b\" -- c")
	f.Fuzz(func(t *testing.T, sql string) {
		if parsed := parseStatement(sql); len(parsed.text) > statementLengthMax {
			t.Errorf("%d bytes", len(parsed.text))
		}
	})
}
