package import PromQL
import Settings

/// What the command line of `apus serve` says. Options that were not given leave the word to `apus.yaml`, and that to the defaults.
package struct ServeOptions: Sendable {
    package static let standardDataFolder = "./data"
    package static let standardListen = ListenAddress(host: "127.0.0.1", port: 2787)
    package static let standardGRPCListen = ListenAddress(host: "127.0.0.1", port: 4317)
    package static let standardOTLPListen = ListenAddress(host: "127.0.0.1", port: 4318)

    package var configurationFile: String?
    package var dataFolder: String?
    package var listen: ListenAddress?
    package var grpcListen: ListenAddress?
    package var otlpListen: ListenAddress?
    package var webFolder: String?
    /// Listen beyond loopback without tokens.
    package var isInsecure = false
    /// Let `/api/v1/admin/tsdb/` delete and copy data.
    package var isAdminAPIEnabled = false
    package var environment: [String: String] = [:]
    /// Replace `${NAME}` in a `promtail.yaml` that is checked (Promtail's `-config.expand-env`).
    package var expandsEnvironment = false
    /// Experimental parts to turn on, by the names of Prometheus' flags.
    package var featureNames: [String] = []

    package init() {}

    /// Reads the configuration, or takes the defaults where none is named.
    package func settings() throws(ServeError) -> ServerSettings {
        var settings = ServerSettings()
        if let configurationFile {
            do {
                settings = try ServerSettings.load(path: configurationFile, environment: environment)
            } catch {
                throw ServeError(.configuration, error.description)
            }
        }
        settings.tokens += environmentTokens
        return settings
    }

    /// The experimental parts of PromQL that are on.
    package var features: PromQLFeatures {
        featureNames.reduce(into: []) { features, name in features.formUnion(PromQLFeatures.byName[name] ?? []) }
    }

    /// Tokens of the environment: one with every scope, one for ingest, one for queries.
    private var environmentTokens: [Token] {
        [("APUS_TOKEN", Scope.admin), ("APUS_TOKEN_INGEST", .ingest), ("APUS_TOKEN_QUERY", .query)].compactMap { variable, scope in
            guard let secret = environment[variable], !secret.isEmpty else { return nil }
            return Token(name: "$\(variable)", secret: secret, scopes: [scope])
        }
    }
}
