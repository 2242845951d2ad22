import ApusKit
import Hummingbird
import Logging

/// The HTTP API: `GET /recommendations?product=ID`, `/metrics`, `/healthz`.
enum RecommendationsServer {
    static func run(environment: [String: String]) async throws {
        let observed = try Apus.bootstrap(service: "recommendations", version: "1.0.0")
        let host = environment["HOST"] ?? "127.0.0.1"
        guard let port = Int(environment["PORT"] ?? "8081"), (0...65_535).contains(port) else {
            throw ApusError.badEnvironment(
                variable: "PORT", value: environment["PORT"] ?? "", expected: "a port's number")
        }
        let app = Application(
            router: router(observed), configuration: ApplicationConfiguration(address: .hostname(host, port: port)),
            services: [observed],
            logger: Logger(label: "recommendations"))
        try await app.runService()
    }

    static func router(_ observed: ApusService) -> Router<BasicRequestContext> {
        let router = Router()
        router.add(middleware: observed.middleware())
        observed.mount(on: router)
        router.get("/healthz") { _, _ in "ok" }
        router.get("/recommendations") { request, context -> Recommendations in
            guard let product = request.uri.queryParameters.get("product", as: Int.self) else {
                throw HTTPError(.badRequest, message: "product: a product's id is wanted")
            }
            let chosen = Assortment.bestPartners(of: product, count: 3)
            context.logger.info(
                "recommended",
                metadata: ["product": .stringConvertible(product), "count": .stringConvertible(chosen.count)])
            return Recommendations(product: product, products: chosen)
        }
        return router
    }
}

/// What the service answers.
struct Recommendations: ResponseEncodable {
    var product: Int
    var products: [Int]
}
