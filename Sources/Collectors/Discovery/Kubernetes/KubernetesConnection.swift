import Codecs
import Settings

/// How a cluster's API server is reached.
struct KubernetesConnection: Sendable {
    /// Without a slash at its end.
    var url: String
    var http: HTTPClientOptions
    /// Of the pod that this process runs in; empty where it is not asked for.
    var ownNamespace = ""

    /// Works out the connection; files are read here, so that a configuration is legal on a machine that lacks them.
    init(_ configuration: KubernetesDiscovery, _ context: DiscoveryContext) throws(DiscoveryError) {
        if !configuration.kubeconfigFile.isEmpty {
            self = try Self.kubeconfig(configuration.kubeconfigFile)
        } else if !configuration.apiServer.isEmpty {
            url = configuration.apiServer
            http = configuration.http
        } else {
            self = try Self.inCluster(context)
            if configuration.includesOwnNamespace {
                let path = context.serviceAccountFolder + "/namespace"
                do throws(HTTPFailure) {
                    ownNamespace = try ConfiguredSecret.file(path).text
                } catch {
                    throw DiscoveryError("could not determine the pod's namespace: \(error)")
                }
                guard !ownNamespace.isEmpty else { throw DiscoveryError("could not read own namespace name (empty file)") }
            }
        }
        while url.hasSuffix("/") { url.removeLast() }
    }

    private init(url: String, http: HTTPClientOptions) {
        self.url = url
        self.http = http
    }

    /// The service account of a pod (kubernetes.io/docs/tasks/run-application/access-api-from-pod).
    private static func inCluster(_ context: DiscoveryContext) throws(DiscoveryError) -> KubernetesConnection {
        guard let host = context.environment["KUBERNETES_SERVICE_HOST"], let port = context.environment["KUBERNETES_SERVICE_PORT"],
            !host.isEmpty, !port.isEmpty
        else {
            throw DiscoveryError(
                "unable to load in-cluster configuration: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set; "
                    + "outside a cluster set api_server or kubeconfig_file")
        }
        var http = HTTPClientOptions()
        http.authorization = .credentials(scheme: "Bearer", .file(context.serviceAccountFolder + "/token"))
        http.tls.authority = .file(context.serviceAccountFolder + "/ca.crt")
        return KubernetesConnection(url: "https://" + .hostPort(host, port), http: http)
    }

    /// The current context of a kubeconfig (kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig).
    private static func kubeconfig(_ path: String) throws(DiscoveryError) -> KubernetesConnection {
        do throws(ConfigurationError) {
            let root = Loose(try ConfigurationNode.load(path: path))
            let current = try root.text("current-context")
            guard let context = try root.named(current, in: "contexts", "context"),
                let cluster = try root.named(try context.text("cluster"), in: "clusters", "cluster")
            else { throw root.node.error("the current-context \(current.debugDescription) has no cluster") }
            var connection = KubernetesConnection(url: try cluster.text("server"), http: HTTPClientOptions())
            guard URLParts(connection.url) != nil else {
                throw cluster.node.error("\(connection.url.debugDescription) is no URL of a server")
            }
            try connection.readCluster(cluster)
            let userName = try context.text("user")
            if !userName.isEmpty, let user = try root.named(userName, in: "users", "user") { try connection.readUser(user) }
            return connection
        } catch {
            throw DiscoveryError("\(error)")
        }
    }

    private mutating func readCluster(_ cluster: Loose) throws(ConfigurationError) {
        http.tls.authority = try cluster.material("certificate-authority")
        http.tls.serverName = try cluster.text("tls-server-name")
        http.tls.skipsVerification = try cluster.text("insecure-skip-tls-verify") == "true"
        http.proxy.url = try cluster.text("proxy-url")
    }

    private mutating func readUser(_ user: Loose) throws(ConfigurationError) {
        http.tls.certificate = try user.material("client-certificate")
        http.tls.key = try user.material("client-key")
        let (token, tokenFile, username) = (try user.text("token"), try user.text("tokenFile"), try user.text("username"))
        if !tokenFile.isEmpty {
            let path = FileGlob.resolve(tokenFile, relativeToFile: user.node.file)
            http.authorization = .credentials(scheme: "Bearer", .file(path))
        } else if !token.isEmpty {
            http.authorization = .credentials(scheme: "Bearer", .text(token))
        } else if !username.isEmpty {
            http.authorization = .basic(username: .text(username), password: .text(try user.text("password")))
        } else if user["exec"] != nil || user["auth-provider"] != nil {
            throw user.node.error(
                "credentials by exec or auth-provider are not run: put a token, tokenFile or client-certificate into the kubeconfig")
        }
    }

    /// A mapping of which only some keys matter: a kubeconfig has many that are for others.
    private struct Loose {
        let node: ConfigurationNode

        init(_ node: ConfigurationNode) {
            self.node = node
        }

        subscript(key: String) -> ConfigurationNode? {
            guard case .mapping(let pairs) = node.content else { return nil }
            for pair in pairs {
                if case .scalar(key) = pair.key.content { return pair.value.isNull ? nil : pair.value }
            }
            return nil
        }

        func text(_ key: String) throws(ConfigurationError) -> String { try self[key]?.string ?? "" }

        /// The entry of a list with that name, without its wrapping.
        func named(_ name: String, in list: String, _ key: String) throws(ConfigurationError) -> Loose? {
            for item in try self[list]?.list ?? [] {
                let entry = Loose(item)
                if try entry.text("name") == name { return entry[key].map(Loose.init) }
            }
            return nil
        }

        /// PEM in a file, or in base64 under the key with `-data`.
        func material(_ key: String) throws(ConfigurationError) -> ConfiguredSecret? {
            if let data = self[key + "-data"] {
                guard let bytes = Base64.decode(try data.string) else { throw data.error("\(key)-data is no base64") }
                return .text(String(decoding: bytes, as: UTF8.self))
            }
            guard let file = self[key] else { return nil }
            return .file(FileGlob.resolve(try file.nonEmptyString, relativeToFile: file.file))
        }
    }
}
