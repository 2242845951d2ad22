package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"apus/observe"
)

// recommendations asks the shop's other service, which is written in Swift.
type recommendations struct {
	base   string
	client *http.Client
}

func newRecommendations(base string) *recommendations {
	return &recommendations{strings.TrimSuffix(base, "/"), &http.Client{Transport: observe.Transport(nil), Timeout: 2 * time.Second}}
}

// forProduct returns ids of products that go with one.
func (r *recommendations) forProduct(ctx context.Context, product int64) ([]int64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s/recommendations?product=%d", r.base, product), nil)
	if err != nil {
		return nil, err
	}
	response, err := r.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("recommendations answered %s", response.Status)
	}
	var answer struct {
		Products []int64 `json:"products"`
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, 64<<10)).Decode(&answer); err != nil {
		return nil, fmt.Errorf("recommendations: %w", err)
	}
	return answer.Products, nil
}
