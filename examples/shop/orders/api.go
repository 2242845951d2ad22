package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"go.uber.org/zap"

	"apus/observe"
)

// api answers the shop's requests.
type api struct {
	store           *store
	recommendations *recommendations
	trouble         *trouble
}

// Limits of what a request may ask for.
const (
	bodyByteCountMax = 64 << 10
	itemCountMax     = 20
	quantityMax      = 100
	listLengthMax    = 100
)

func (a *api) mount(mux *http.ServeMux) {
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, r *http.Request) {
		if err := a.store.db.PingContext(r.Context()); err != nil {
			writeError(w, http.StatusServiceUnavailable, "no database")
			return
		}
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("/products", only(http.MethodGet, a.listProducts))
	mux.HandleFunc("/orders/", only(http.MethodGet, a.showOrder))
	mux.HandleFunc("/checkout", only(http.MethodPost, a.checkout))
	mux.HandleFunc("/orders", func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			a.placeOrder(w, r)
			return
		}
		only(http.MethodGet, a.listOrders)(w, r)
	})
}

func (a *api) listProducts(w http.ResponseWriter, r *http.Request) {
	products, err := a.store.products(r.Context(), a.trouble.delay())
	if err != nil {
		fail(w, r, "cannot list products", err)
		return
	}
	writeJSON(w, http.StatusOK, products)
}

func (a *api) listOrders(w http.ResponseWriter, r *http.Request) {
	limit := 20
	if text := r.URL.Query().Get("limit"); text != "" {
		parsed, err := strconv.Atoi(text)
		if err != nil || parsed < 1 || parsed > listLengthMax {
			writeError(w, http.StatusBadRequest, "limit: a number from 1 to "+strconv.Itoa(listLengthMax))
			return
		}
		limit = parsed
	}
	orders, err := a.store.recent(r.Context(), limit)
	if err != nil {
		fail(w, r, "cannot list orders", err)
		return
	}
	writeJSON(w, http.StatusOK, orders)
}

func (a *api) showOrder(w http.ResponseWriter, r *http.Request) {
	observe.SetRoute(r.Context(), "/orders/{id}")
	id, err := strconv.ParseInt(strings.TrimPrefix(r.URL.Path, "/orders/"), 10, 64)
	if err != nil {
		writeError(w, http.StatusBadRequest, "an order's id is a number")
		return
	}
	found, err := a.store.order(r.Context(), id)
	switch {
	case errors.Is(err, errNotFound):
		writeError(w, http.StatusNotFound, "no such order")
	case err != nil:
		fail(w, r, "cannot read order", err)
	default:
		writeJSON(w, http.StatusOK, found)
	}
}

func (a *api) placeOrder(w http.ResponseWriter, r *http.Request) {
	var wanted struct {
		Customer string `json:"customer"`
		Items    []item `json:"items"`
	}
	if !readJSON(w, r, &wanted) {
		return
	}
	if wanted.Customer == "" || len(wanted.Items) == 0 || len(wanted.Items) > itemCountMax {
		writeError(w, http.StatusBadRequest, "an order has a customer and 1 to "+strconv.Itoa(itemCountMax)+" items")
		return
	}
	seen := map[int64]bool{}
	for _, line := range wanted.Items {
		if line.Quantity < 1 || line.Quantity > quantityMax || seen[line.ProductID] {
			writeError(w, http.StatusBadRequest, "an item is a product once, in a quantity of 1 to "+strconv.Itoa(quantityMax))
			return
		}
		seen[line.ProductID] = true
	}
	placed, err := a.store.place(r.Context(), wanted.Customer, wanted.Items)
	switch {
	case errors.Is(err, errOutOfStock):
		writeError(w, http.StatusConflict, err.Error())
	case err != nil:
		fail(w, r, "cannot place order", err)
	default:
		observe.Logger(r.Context()).Info("order placed",
			zap.Int64("order_id", placed.ID), zap.Int("items", len(placed.Items)), zap.Int64("total_cents", placed.TotalCents))
		writeJSON(w, http.StatusCreated, placed)
	}
}

// checkout pays an order: price it, weigh the risk, charge, and say what else the customer may like.
func (a *api) checkout(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	var wanted struct {
		OrderID int64 `json:"order_id"`
	}
	if !readJSON(w, r, &wanted) {
		return
	}
	found, err := a.store.order(ctx, wanted.OrderID)
	if errors.Is(err, errNotFound) {
		writeError(w, http.StatusNotFound, "no such order")
		return
	}
	if err != nil {
		fail(w, r, "cannot read order", err)
		return
	}
	total := priceWithDiscounts(found)
	risk := riskOf(found)
	if a.trouble.declined() {
		observe.Logger(ctx).Error("payment failed",
			zap.Int64("order_id", found.ID), zap.Int64("total_cents", total), zap.String("error", "payment provider: connection reset by peer"))
		if err := a.store.setStatus(ctx, found.ID, "payment failed"); err != nil {
			fail(w, r, "cannot update order", err)
			return
		}
		writeError(w, http.StatusBadGateway, "the payment provider does not answer")
		return
	}
	if err := a.store.setStatus(ctx, found.ID, "paid"); err != nil {
		fail(w, r, "cannot update order", err)
		return
	}
	var suggestions []int64
	if len(found.Items) > 0 {
		// What else to buy is nice to have: without it the order is paid all the same.
		if suggestions, err = a.recommendations.forProduct(ctx, found.Items[0].ProductID); err != nil {
			observe.Logger(ctx).Warn("no recommendations", zap.Error(err))
		}
	}
	observe.Logger(ctx).Info("order paid",
		zap.Int64("order_id", found.ID), zap.Int64("total_cents", total), zap.Float64("risk", risk), zap.Int("recommendations", len(suggestions)))
	writeJSON(w, http.StatusOK, map[string]any{
		"order_id": found.ID, "total_cents": total, "invoice": renderInvoice(found, total), "recommendations": suggestions,
	})
}

// only lets requests of one method through.
func only(method string, handle http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != method {
			w.Header().Set("Allow", method)
			writeError(w, http.StatusMethodNotAllowed, "method not allowed")
			return
		}
		handle(w, r)
	}
}

func readJSON(w http.ResponseWriter, r *http.Request, target any) bool {
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, bodyByteCountMax)).Decode(target); err != nil {
		writeError(w, http.StatusBadRequest, "the body is no such JSON: "+err.Error())
		return false
	}
	return true
}

// fail answers 500 and logs why; the caller is not told what the database said.
func fail(w http.ResponseWriter, r *http.Request, message string, err error) {
	observe.Logger(r.Context()).Error(message, zap.Error(err))
	writeError(w, http.StatusInternalServerError, message)
}

func writeError(w http.ResponseWriter, status int, message string) {
	writeJSON(w, status, map[string]string{"error": message})
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // the client is gone if this fails
}
