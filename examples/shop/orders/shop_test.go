package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestTroubleIsOneSequenceASeed(t *testing.T) {
	first, second := newTrouble(7, 0.1, 0.1), newTrouble(7, 0.1, 0.1)
	slow, failed := 0, 0
	for i := 0; i < 10_000; i++ {
		delay, declined := first.delay(), first.declined()
		if delay != second.delay() || declined != second.declined() {
			t.Fatalf("request %d differs", i)
		}
		if delay > 0 {
			slow++
		}
		if declined {
			failed++
		}
	}
	for name, count := range map[string]int{"slow": slow, "failed": failed} {
		if count < 800 || count > 1200 {
			t.Errorf("%d of 10000 %s, where one in ten was asked for", count, name)
		}
	}
	never := newTrouble(7, 0, 0)
	for i := 0; i < 1000; i++ {
		if never.delay() > 0 || never.declined() {
			t.Fatal("trouble where none was asked for")
		}
	}
}

func TestSettings(t *testing.T) {
	for variable, value := range map[string]string{"SEED": "x", "SLOW_RATIO": "2", "FAIL_RATIO": "NaN"} {
		t.Run(variable, func(t *testing.T) {
			t.Setenv(variable, value)
			if _, err := settingsFromEnvironment(); err == nil || !strings.Contains(err.Error(), variable) {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Setenv("PORT", "1")
	if s, err := settingsFromEnvironment(); err != nil || s.address != "127.0.0.1:1" {
		t.Errorf("got %v, %v", s, err)
	}
}

func TestDiscountsOnlyLower(t *testing.T) {
	placed := order{TotalCents: 1300, Items: []item{{ProductID: 1, Quantity: 3, PriceCents: 400}, {ProductID: 2, Quantity: 1, PriceCents: 100}}}
	if total := priceWithDiscounts(placed); total != 1240 {
		t.Errorf("3 × 400 less a twentieth, and 100, is not %d", total)
	}
	if risk := riskOf(placed); risk < 0 || risk >= 1 || risk != riskOf(placed) {
		t.Errorf("risk %f", risk)
	}
	if invoice := renderInvoice(placed, 1240); !strings.Contains(invoice, "Teapot") || !strings.Contains(invoice, "12.40") {
		t.Error(invoice)
	}
}

// None of these requests may reach the store: there is none.
func TestRequestsThatMakeNoSense(t *testing.T) {
	api := &api{trouble: newTrouble(1, 0, 0)}
	mux := http.NewServeMux()
	api.mount(mux)
	items := `{"product_id":1,"quantity":1},`
	for _, test := range []struct {
		method, path, body string
		status             int
	}{
		{"DELETE", "/products", "", 405}, {"POST", "/orders/1", "", 405}, {"GET", "/checkout", "", 405},
		{"GET", "/orders?limit=0", "", 400}, {"GET", "/orders?limit=101", "", 400}, {"GET", "/orders?limit=x", "", 400},
		{"GET", "/orders/x", "", 400}, {"GET", "/orders/9223372036854775808", "", 400},
		{"POST", "/orders", "no json", 400}, {"POST", "/orders", "{}", 400}, {"POST", "/orders", `{"customer":"a","items":[]}`, 400},
		{"POST", "/orders", `{"customer":"a","items":[{"product_id":1,"quantity":0}]}`, 400},
		{"POST", "/orders", `{"customer":"a","items":[{"product_id":1,"quantity":101}]}`, 400},
		{"POST", "/orders", `{"customer":"a","items":[` + items + strings.TrimSuffix(items, ",") + `]}`, 400},
		{"POST", "/orders", `{"customer":"` + strings.Repeat("a", bodyByteCountMax) + `"}`, 400},
		{"POST", "/checkout", `{"order_id":"x"}`, 400},
	} {
		answer := httptest.NewRecorder()
		mux.ServeHTTP(answer, httptest.NewRequest(test.method, test.path, bytes.NewBufferString(test.body)))
		if answer.Code != test.status || !strings.Contains(answer.Body.String(), `"error"`) {
			t.Errorf("%s %s %.60s: %d %s", test.method, test.path, test.body, answer.Code, answer.Body)
		}
	}
}
