package observe

import (
	"bufio"
	"net"
	"net/http"
)

// answer notes the status and length of what is written through it.
type answer struct {
	http.ResponseWriter
	status    int // 0 until the header is written
	byteCount int64
}

func (a *answer) WriteHeader(status int) {
	// 1xx announces; the status comes later.
	if a.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(bytes []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	n, err := a.ResponseWriter.Write(bytes)
	a.byteCount += int64(n)
	return n, err
}

// Flush passes on what is buffered, for streams.
func (a *answer) Flush() {
	if flusher, ok := a.ResponseWriter.(http.Flusher); ok {
		flusher.Flush()
	}
}

// Hijack hands over the connection, for WebSockets.
func (a *answer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if hijacker, ok := a.ResponseWriter.(http.Hijacker); ok {
		return hijacker.Hijack()
	}
	return nil, nil, http.ErrNotSupported
}

// Unwrap lets http.ResponseController find the writer below.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
