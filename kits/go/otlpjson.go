//go:build otlpjson

package observe

import (
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// The messages of OTLP as JSON: ids in hexadecimal, 64-bit integers as strings, enumerations as numbers.
// https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding

type otlpTraces struct {
	ResourceSpans []otlpResourceSpans `json:"resourceSpans"`
}

type otlpResourceSpans struct {
	Resource   otlpResource     `json:"resource"`
	ScopeSpans []otlpScopeSpans `json:"scopeSpans"`
	SchemaURL  string           `json:"schemaUrl,omitempty"`
}

type otlpResource struct {
	Attributes []otlpAttribute `json:"attributes"`
}

type otlpScopeSpans struct {
	Scope otlpScope  `json:"scope"`
	Spans []otlpSpan `json:"spans"`
}

type otlpScope struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
}

type otlpSpan struct {
	TraceID                string          `json:"traceId"`
	SpanID                 string          `json:"spanId"`
	TraceState             string          `json:"traceState,omitempty"`
	ParentSpanID           string          `json:"parentSpanId,omitempty"`
	Name                   string          `json:"name"`
	Kind                   int             `json:"kind"`
	StartTimeUnixNano      string          `json:"startTimeUnixNano"`
	EndTimeUnixNano        string          `json:"endTimeUnixNano"`
	Attributes             []otlpAttribute `json:"attributes,omitempty"`
	DroppedAttributesCount int             `json:"droppedAttributesCount,omitempty"`
	Events                 []otlpEvent     `json:"events,omitempty"`
	DroppedEventsCount     int             `json:"droppedEventsCount,omitempty"`
	Links                  []otlpLink      `json:"links,omitempty"`
	DroppedLinksCount      int             `json:"droppedLinksCount,omitempty"`
	Status                 otlpStatus      `json:"status"`
}

type otlpEvent struct {
	TimeUnixNano string          `json:"timeUnixNano"`
	Name         string          `json:"name"`
	Attributes   []otlpAttribute `json:"attributes,omitempty"`
}

type otlpLink struct {
	TraceID    string          `json:"traceId"`
	SpanID     string          `json:"spanId"`
	TraceState string          `json:"traceState,omitempty"`
	Attributes []otlpAttribute `json:"attributes,omitempty"`
}

type otlpStatus struct {
	Message string `json:"message,omitempty"`
	Code    int    `json:"code,omitempty"`
}

type otlpAttribute struct {
	Key   string    `json:"key"`
	Value otlpValue `json:"value"`
}

type otlpValue struct {
	String *string    `json:"stringValue,omitempty"`
	Bool   *bool      `json:"boolValue,omitempty"`
	Int    *string    `json:"intValue,omitempty"`
	Double *float64   `json:"doubleValue,omitempty"`
	Array  *otlpArray `json:"arrayValue,omitempty"`
}

type otlpArray struct {
	Values []otlpValue `json:"values"`
}

// encodeSpans groups a batch by scope. All spans of a process share its resource.
func encodeSpans(spans []sdktrace.ReadOnlySpan) otlpTraces {
	var scopes []otlpScopeSpans
	indexOf := map[otlpScope]int{}
	for _, span := range spans {
		library := span.InstrumentationLibrary()
		scope := otlpScope{library.Name, library.Version}
		index, known := indexOf[scope]
		if !known {
			index = len(scopes)
			indexOf[scope] = index
			scopes = append(scopes, otlpScopeSpans{Scope: scope})
		}
		scopes[index].Spans = append(scopes[index].Spans, encodeSpan(span))
	}
	resource := spans[0].Resource()
	return otlpTraces{[]otlpResourceSpans{{
		Resource: otlpResource{encodeAttributes(resource.Attributes())}, ScopeSpans: scopes, SchemaURL: resource.SchemaURL(),
	}}}
}

func encodeSpan(span sdktrace.ReadOnlySpan) otlpSpan {
	context := span.SpanContext()
	encoded := otlpSpan{
		TraceID: context.TraceID().String(), SpanID: context.SpanID().String(), TraceState: context.TraceState().String(),
		Name: span.Name(), Kind: encodeKind(span.SpanKind()),
		StartTimeUnixNano: encodeTime(span.StartTime()), EndTimeUnixNano: encodeTime(span.EndTime()),
		Attributes: encodeAttributes(span.Attributes()), DroppedAttributesCount: span.DroppedAttributes(),
		DroppedEventsCount: span.DroppedEvents(), DroppedLinksCount: span.DroppedLinks(),
		Status: encodeStatus(span.Status()),
	}
	if parent := span.Parent(); parent.SpanID().IsValid() {
		encoded.ParentSpanID = parent.SpanID().String()
	}
	for _, event := range span.Events() {
		encoded.Events = append(encoded.Events, otlpEvent{encodeTime(event.Time), event.Name, encodeAttributes(event.Attributes)})
	}
	for _, link := range span.Links() {
		encoded.Links = append(encoded.Links, otlpLink{
			link.SpanContext.TraceID().String(), link.SpanContext.SpanID().String(), link.SpanContext.TraceState().String(),
			encodeAttributes(link.Attributes),
		})
	}
	return encoded
}

func encodeTime(t time.Time) string { return strconv.FormatInt(t.UnixNano(), 10) }

// encodeStatus: OTLP counts unset, ok, error; Go's codes count unset, error, ok.
func encodeStatus(status sdktrace.Status) otlpStatus {
	switch status.Code {
	case codes.Ok:
		return otlpStatus{Code: 1}
	case codes.Error:
		return otlpStatus{Code: 2, Message: status.Description}
	default:
		return otlpStatus{}
	}
}

func encodeKind(kind trace.SpanKind) int {
	switch kind {
	case trace.SpanKindServer:
		return 2
	case trace.SpanKindClient:
		return 3
	case trace.SpanKindProducer:
		return 4
	case trace.SpanKindConsumer:
		return 5
	default:
		return 1
	}
}

func encodeAttributes(attributes []attribute.KeyValue) []otlpAttribute {
	encoded := make([]otlpAttribute, 0, len(attributes))
	for _, pair := range attributes {
		encoded = append(encoded, otlpAttribute{string(pair.Key), encodeValue(pair.Value)})
	}
	return encoded
}

func encodeValue(value attribute.Value) otlpValue {
	switch value.Type() {
	case attribute.BOOL:
		return boolValue(value.AsBool())
	case attribute.INT64:
		return intValue(value.AsInt64())
	case attribute.FLOAT64:
		return doubleValue(value.AsFloat64())
	case attribute.BOOLSLICE:
		return arrayValue(value.AsBoolSlice(), boolValue)
	case attribute.INT64SLICE:
		return arrayValue(value.AsInt64Slice(), intValue)
	case attribute.FLOAT64SLICE:
		return arrayValue(value.AsFloat64Slice(), doubleValue)
	case attribute.STRINGSLICE:
		return arrayValue(value.AsStringSlice(), stringValue)
	default:
		return stringValue(value.Emit())
	}
}

func stringValue(text string) otlpValue { return otlpValue{String: &text} }
func boolValue(flag bool) otlpValue     { return otlpValue{Bool: &flag} }

func intValue(number int64) otlpValue {
	text := strconv.FormatInt(number, 10)
	return otlpValue{Int: &text}
}

// doubleValue: JSON has no NaN and no infinity, and one such attribute must not cost the batch.
func doubleValue(number float64) otlpValue {
	if number != number || number > maxFloat || number < -maxFloat {
		return stringValue(strconv.FormatFloat(number, 'g', -1, 64))
	}
	return otlpValue{Double: &number}
}

const maxFloat = 1.7976931348623157e308

func arrayValue[T any](values []T, encode func(T) otlpValue) otlpValue {
	array := otlpArray{Values: make([]otlpValue, len(values))}
	for i, value := range values {
		array.Values[i] = encode(value)
	}
	return otlpValue{Array: &array}
}
