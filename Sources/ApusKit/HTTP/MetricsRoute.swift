import HTTPTypes
import Hummingbird
import NIOCore

/// `GET /metrics`.
enum MetricsRoute {
    static func mount<Context: RequestContext>(registry: PrometheusRegistry, on router: some RouterMethods<Context>) {
        router.on("/metrics", method: .get) { request, _ in
            let format = PrometheusText.Format.accepted(request.headers[.accept])
            let text = PrometheusText.write(registry, as: format)
            return Response(
                status: .ok, headers: [.contentType: format.contentType],
                body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
        }
    }
}
