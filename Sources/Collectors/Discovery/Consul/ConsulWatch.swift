import Codecs
import Telemetry

/// Follows a catalog: which services there are, and the instances of each.
struct ConsulWatch: Discovery {
    let configuration: ConsulDiscovery
    let context: DiscoveryContext

    private var api: ConsulAPI { ConsulAPI(configuration: configuration, transport: context.transport) }

    func run(_ updates: DiscoveryUpdates) async {
        guard let datacenter = await datacenter(updates) else { return }
        guard configuration.watchesCatalog else {
            await withTaskGroup(of: Void.self) { group in
                for service in configuration.services {
                    group.addTask { await self.watchService(service, datacenter, updates) }
                }
            }
            return
        }
        await watchCatalog(datacenter, updates)
    }

    /// The configured one, or the agent's own, however long that takes; nil where it is cancelled meanwhile.
    private func datacenter(_ updates: DiscoveryUpdates) async -> String? {
        if !configuration.datacenter.isEmpty { return configuration.datacenter }
        while !Task.isCancelled {
            do throws(DiscoveryError) {
                let agent = try await api.get("/v1/agent/self").json
                if let name = agent["Config"]?["Datacenter"]?.string { return name }
                throw DiscoveryError("/v1/agent/self: Config.Datacenter is missing")
            } catch {
                if Task.isCancelled { return nil }
                updates.failed(error)
            }
            guard (try? await Task.sleep(for: context.retryInterval)) != nil else { return nil }
        }
        return nil
    }

    private func watchCatalog(_ datacenter: String, _ updates: DiscoveryUpdates) async {
        await withTaskGroup(of: Void.self) { group in
            var watched: [String: AsyncStream<Never>.Continuation] = [:]
            var index: UInt64 = 0
            while !Task.isCancelled {
                do throws(DiscoveryError) {
                    let parameters = configuration.filter.isEmpty ? [] : [("filter", configuration.filter)]
                    let answer = try await api.query(
                        "/v1/catalog/services", parameters: parameters, datacenter: datacenter, index: index)
                    let hasChanged = answer.index != index || index == 0
                    index = Self.next(answer.index, after: index)
                    updates.succeeded()
                    if hasChanged {
                        let wanted = services(in: answer.value)
                        for (name, stopper) in watched where !wanted.contains(name) {
                            stopper.finish()
                            watched[name] = nil
                        }
                        for name in wanted where watched[name] == nil {
                            let (stopped, stopper) = AsyncStream.makeStream(of: Never.self)
                            watched[name] = stopper
                            group.addTask {
                                await Self.run(until: stopped) { await self.watchService(name, datacenter, updates) }
                                updates.remove(source: name)
                            }
                        }
                        if wanted.isEmpty { updates.update([]) }
                    }
                } catch {
                    if Task.isCancelled { break }
                    updates.failed(error)
                    guard (try? await Task.sleep(for: context.retryInterval)) != nil else { break }
                    continue
                }
                // Bounds how often a catalog is asked that changes all the time.
                guard (try? await Task.sleep(for: configuration.refreshInterval)) != nil else { break }
            }
            group.cancelAll()
        }
    }

    private func services(in catalog: JSONValue) -> Set<String> {
        var names: Set<String> = []
        for member in catalog.object?.members ?? [] {
            let tags = (member.value.array ?? []).compactMap(\.string)
            if configuration.includes(service: member.name, tags: tags) { names.insert(member.name) }
        }
        return names
    }

    private static func run(until stopped: AsyncStream<Never>, _ body: @escaping @Sendable () async -> Void) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await body() }
            group.addTask { for await _ in stopped {} }
            await group.next()
            group.cancelAll()
        }
    }

    private func watchService(_ name: String, _ datacenter: String, _ updates: DiscoveryUpdates) async {
        var parameters = configuration.tags.map { ("tag", $0) }
        if !configuration.healthFilter.isEmpty { parameters.append(("filter", configuration.healthFilter)) }
        var index: UInt64 = 0
        while !Task.isCancelled {
            do throws(DiscoveryError) {
                let answer = try await api.query(
                    "/v1/health/service/" + PercentEncoding.path(name), parameters: parameters, datacenter: datacenter, index: index)
                if Task.isCancelled { return }
                let hasChanged = answer.index != index || index == 0
                index = Self.next(answer.index, after: index)
                updates.update(hasChanged ? [group(name, datacenter, answer.value)] : [])
            } catch {
                if Task.isCancelled { return }
                updates.failed(error)
                guard (try? await Task.sleep(for: context.retryInterval)) != nil else { return }
                continue
            }
            guard (try? await Task.sleep(for: configuration.refreshInterval)) != nil else { return }
        }
    }

    /// An index that runs backwards starts anew (the documentation of blocking queries asks for that).
    private static func next(_ index: UInt64, after last: UInt64) -> UInt64 { index < last ? 0 : index }

    // MARK: - Labels

    private static let prefix = "__meta_consul_"

    private func group(_ service: String, _ datacenter: String, _ instances: JSONValue) -> TargetGroup {
        TargetGroup(
            source: service, targets: (instances.array ?? []).map(target),
            labels: Labels([Label(Self.prefix + "service", service), Label(Self.prefix + "dc", datacenter)]))
    }

    private func target(_ instance: JSONValue) -> Labels {
        let (node, service) = (instance["Node"], instance["Service"])
        let nodeAddress = node?["Address"]?.string ?? ""
        let serviceAddress = service?["Address"]?.string ?? ""
        let port = service?["Port"]?.int64 ?? 0
        let tags = (service?["Tags"]?.array ?? []).compactMap(\.string)
        // Separators at both ends, so that an expression need not care where a tag stands.
        let tagText = configuration.tagSeparator + tags.joined(separator: configuration.tagSeparator) + configuration.tagSeparator
        var labels = [
            Label(TargetGroup.addressLabel, .hostPort(serviceAddress.isEmpty ? nodeAddress : serviceAddress, port)),
            Label(Self.prefix + "address", nodeAddress),
            Label(Self.prefix + "node", node?["Node"]?.string ?? ""),
            Label(Self.prefix + "namespace", service?["Namespace"]?.string ?? ""),
            Label(Self.prefix + "partition", service?["Partition"]?.string ?? ""),
            Label(Self.prefix + "tags", tagText),
            Label(Self.prefix + "service_address", serviceAddress),
            Label(Self.prefix + "service_port", String(port)),
            Label(Self.prefix + "service_id", service?["ID"]?.string ?? ""),
            Label(Self.prefix + "health", Self.health(instance["Checks"]?.array ?? [])),
        ]
        labels += (node?["Meta"]).labels(Self.prefix + "metadata_")
        labels += (service?["Meta"]).labels(Self.prefix + "service_metadata_")
        labels += (node?["TaggedAddresses"]).labels(Self.prefix + "tagged_address_")
        return Labels(labels)
    }

    /// The worst of the checks; maintenance is worse than all (Consul's API, `HealthChecks.AggregatedStatus`).
    private static func health(_ checks: [JSONValue]) -> String {
        var states: Set<String> = []
        for check in checks {
            let id = check["CheckID"]?.string ?? ""
            if id == "_node_maintenance" || id.hasPrefix("_service_maintenance:") { return "maintenance" }
            states.insert(check["Status"]?.string ?? "")
        }
        if states.contains("critical") { return "critical" }
        return states.contains("warning") ? "warning" : "passing"
    }
}
