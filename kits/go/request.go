package observe

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"sync"
)

const (
	requestIDHeader = "X-Request-Id"
	// unknownRoute is the route of a request that nothing claims. A path would make one series of each guess of a scanner.
	unknownRoute = "unmatched"
	// A request id is somebody else's text that goes into every log line: bounded, and plain.
	requestIDLengthMax = 128
)

type requestKey struct{}

// requestInfo is what the wrappers know of the request that a context belongs to.
type requestInfo struct {
	id string

	mutex sync.Mutex
	route string
}

func (r *requestInfo) currentRoute() string {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.route
}

// RequestID returns the id of the request that ctx belongs to: the caller's X-Request-Id or a new one. Empty outside one.
func RequestID(ctx context.Context) string {
	if request, ok := ctx.Value(requestKey{}).(*requestInfo); ok {
		return request.id
	}
	return ""
}

// SetRoute names the route of the request that ctx belongs to, such as /orders/{id}. For routers other than
// http.ServeMux, and for patterns that end in a slash. It must be one of few: it becomes a label.
func SetRoute(ctx context.Context, route string) {
	if request, ok := ctx.Value(requestKey{}).(*requestInfo); ok {
		request.mutex.Lock()
		request.route = route
		request.mutex.Unlock()
	}
}

// requestID takes over the caller's id if it is fit to be logged, else draws one.
func requestID(received string) string {
	if received != "" && len(received) <= requestIDLengthMax {
		plain := true
		for i := 0; i < len(received); i++ {
			if received[i] <= ' ' || received[i] > '~' {
				plain = false
				break
			}
		}
		if plain {
			return received
		}
	}
	var drawn [8]byte
	_, _ = rand.Read(drawn[:]) // on failure the id is zeros: worse than unique, better than no answer
	return hex.EncodeToString(drawn[:])
}
