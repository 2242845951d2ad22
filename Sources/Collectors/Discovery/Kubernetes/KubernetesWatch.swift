import Synchronization

/// Follows every list that a role needs, and makes groups of what is in them.
struct KubernetesWatch: Discovery {
    let configuration: KubernetesDiscovery
    let context: DiscoveryContext

    /// Objects often change in crowds: their groups are made together.
    private static let settlingTime = Duration.milliseconds(100)
    private static let firstDelay = Duration.seconds(1)
    private static let delayMax = Duration.seconds(30)

    func run(_ updates: DiscoveryUpdates) async {
        guard let connection = await connection(updates) else { return }
        var namespaces = configuration.namespaces
        if !connection.ownNamespace.isEmpty { namespaces.append(connection.ownNamespace) }
        if namespaces.isEmpty { namespaces = [""] }
        var scopes: [KubernetesObjects.Scope] = []
        for kind in configuration.kinds {
            for namespace in kind.isNamespaced ? namespaces : [""] {
                let scope = KubernetesObjects.Scope(kind: kind, namespace: namespace)
                if !scopes.contains(scope) { scopes.append(scope) }
            }
        }
        let objects = KubernetesObjects(kind: scopes[0].kind, scopes: scopes, attachments: configuration.attachments)
        let api = KubernetesAPI(connection: connection, transport: context.transport)
        await withDiscardingTaskGroup { group in
            for scope in scopes { group.addTask { await self.follow(scope, api, objects, updates) } }
            for await _ in objects.changes {
                guard (try? await Task.sleep(for: Self.settlingTime)) != nil else { break }
                if let groups = objects.changedGroups() { updates.update(groups) }
            }
            group.cancelAll()
        }
    }

    /// How the cluster is reached, once that is known; nil where it is cancelled before.
    private func connection(_ updates: DiscoveryUpdates) async -> KubernetesConnection? {
        while !Task.isCancelled {
            do throws(DiscoveryError) {
                return try KubernetesConnection(configuration, context)
            } catch {
                updates.failed(error)
            }
            guard (try? await Task.sleep(for: context.retryInterval)) != nil else { return nil }
        }
        return nil
    }

    /// Lists, then watches; lists again where the watch has lost its place.
    private func follow(
        _ scope: KubernetesObjects.Scope, _ api: KubernetesAPI, _ objects: KubernetesObjects, _ updates: DiscoveryUpdates
    ) async {
        let selector = scope.kind.selectingRole.flatMap { configuration.selectors[$0] } ?? KubernetesDiscovery.Selector()
        var delay = Self.firstDelay
        while !Task.isCancelled {
            do throws(DiscoveryError) {
                let version = try await list(scope, selector, api, objects)
                delay = Self.firstDelay
                try await watch(scope, selector, api, objects, from: version)
            } catch {
                if Task.isCancelled { return }
                updates.failed(error)
                guard (try? await Task.sleep(for: delay)) != nil else { return }
                delay = min(delay * 2, Self.delayMax)
            }
        }
    }

    /// - Returns: the version of the list.
    private func list(
        _ scope: KubernetesObjects.Scope, _ selector: KubernetesDiscovery.Selector, _ api: KubernetesAPI, _ objects: KubernetesObjects
    ) async throws(DiscoveryError) -> String {
        var found: [KubernetesObject] = []
        var continuation = ""
        while true {
            guard let page = try await api.list(scope, selector, continuation: continuation) else {
                (found, continuation) = ([], "")
                guard (try? await Task.sleep(for: Self.firstDelay)) != nil else { throw DiscoveryError("cancelled") }
                continue
            }
            found += page.objects
            continuation = page.continuation
            if continuation.isEmpty {
                objects.replace(scope, with: found)
                return page.resourceVersion
            }
        }
    }

    /// Watches, again and again, until everything must be listed anew.
    private func watch(
        _ scope: KubernetesObjects.Scope, _ selector: KubernetesDiscovery.Selector, _ api: KubernetesAPI,
        _ objects: KubernetesObjects, from version: String
    ) async throws(DiscoveryError) {
        let place = Mutex<String?>(version)
        while !Task.isCancelled, let version = place.withLock({ $0 }) {
            let hasStarted = Mutex(false)
            do throws(DiscoveryError) {
                try await api.watch(
                    scope, selector, from: version, didStart: { hasStarted.withLock { $0 = true } },
                    { event, version in
                        switch event {
                        case .set(let object): objects.set(object, kind: scope.kind)
                        case .removed(let key): objects.remove(key, kind: scope.kind)
                        case .bookmark: break
                        case .expired: place.withLock { $0 = nil }
                        }
                        return place.withLock { place in
                            if place != nil, !version.isEmpty { place = version }
                            return place != nil
                        }
                    })
            } catch {
                // A watch that breaks off is nothing special: proxies close quiet connections.
                guard hasStarted.withLock({ $0 }) else { throw error }
            }
            // Not faster than that even where a server ends every watch at once.
            guard (try? await Task.sleep(for: .milliseconds(200))) != nil else { return }
        }
    }
}
