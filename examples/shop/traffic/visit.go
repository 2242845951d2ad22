package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"sync/atomic"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// plan is what one customer is going to do, drawn beforehand so that visits at once do not share the generator.
type plan struct {
	name     string
	customer string
	items    []map[string]int
	// Which of the orders placed so far, from 0 to 1; one in twenty is none of them.
	whichOrder float64
}

// drawPlan: of ten visits, four look at products, two at the list of orders, one at an order, three buy.
func drawPlan(random *rand.Rand) plan {
	drawn := plan{customer: fmt.Sprintf("customer-%03d", random.Intn(500)), whichOrder: random.Float64()}
	switch choice := random.Intn(10); {
	case choice < 4:
		drawn.name = "browse"
	case choice < 6:
		drawn.name = "history"
	case choice < 7:
		drawn.name = "look up"
	default:
		drawn.name = "buy"
		first, count := random.Intn(20), 1+random.Intn(4)
		for i := 0; i < count; i++ {
			drawn.items = append(drawn.items, map[string]int{"product_id": 1 + (first+3*i)%20, "quantity": 1 + random.Intn(5)})
		}
	}
	return drawn
}

// customers counts what its visits come to.
type customers struct {
	target string
	client *http.Client

	visits, requests, failed atomic.Int64
	newestOrder              atomic.Int64
}

// visit carries out one plan as one trace.
func (c *customers) visit(ctx context.Context, plan plan) {
	ctx, span := otel.Tracer("apus/shop/traffic").Start(ctx, plan.name, trace.WithSpanKind(trace.SpanKindInternal))
	defer span.End()
	c.visits.Add(1)
	var err error
	switch plan.name {
	case "browse":
		err = c.send(ctx, http.MethodGet, "/products", nil, nil)
	case "history":
		err = c.send(ctx, http.MethodGet, "/orders?limit=10", nil, nil)
	case "look up":
		err = c.send(ctx, http.MethodGet, fmt.Sprint("/orders/", 1+int64(plan.whichOrder*1.05*float64(c.newestOrder.Load()))), nil, nil)
	default:
		err = c.buy(ctx, plan)
	}
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
	}
}

func (c *customers) buy(ctx context.Context, plan plan) error {
	if err := c.send(ctx, http.MethodGet, "/products", nil, nil); err != nil {
		return err
	}
	var placed struct {
		ID int64 `json:"id"`
	}
	if err := c.send(ctx, http.MethodPost, "/orders", map[string]any{"customer": plan.customer, "items": plan.items}, &placed); err != nil {
		return err
	}
	c.newestOrder.Store(placed.ID)
	return c.send(ctx, http.MethodPost, "/checkout", map[string]any{"order_id": placed.ID}, nil)
}

// send makes one request; an answer of 500 and above is an error, 404 is an answer.
func (c *customers) send(ctx context.Context, method, path string, body, answer any) error {
	c.requests.Add(1)
	var reader io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return err
		}
		reader = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.target+path, reader)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := c.client.Do(request)
	if err != nil {
		c.failed.Add(1)
		return err
	}
	defer response.Body.Close()
	bytes, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		c.failed.Add(1)
		return err
	}
	if response.StatusCode >= 500 {
		c.failed.Add(1)
		return fmt.Errorf("%s %s: %s", method, path, response.Status)
	}
	if answer != nil {
		return json.Unmarshal(bytes, answer)
	}
	return nil
}
