import Synchronization
import Telemetry

/// What is looked up while a group is made: other objects, remembered so that the group is made again when they change.
struct KubernetesLookup {
    /// An object by kind and key, be it there or not.
    struct Dependency: Sendable, Hashable {
        var kind: KubernetesKind
        var key: String
    }

    let objects: [KubernetesKind: [String: KubernetesObject]]
    let attachments: KubernetesDiscovery.Attachments
    private(set) var dependencies: Set<Dependency> = []

    init(objects: [KubernetesKind: [String: KubernetesObject]], attachments: KubernetesDiscovery.Attachments) {
        self.objects = objects
        self.attachments = attachments
    }

    mutating func object(_ kind: KubernetesKind, _ key: String) -> KubernetesObject? {
        dependencies.insert(Dependency(kind: kind, key: key))
        return objects[kind]?[key]
    }

    /// Name, labels and annotations of a node, where they are wanted.
    mutating func nodeLabels(_ name: String) -> [Label] {
        guard attachments.node, !name.isEmpty else { return [] }
        return object(.node, name)?.metadata.metaLabelsAndName("node") ?? []
    }

    /// Labels and annotations of a namespace, where they are wanted.
    mutating func namespaceLabels(_ name: String) -> [Label] {
        guard attachments.namespace else { return [] }
        return object(.namespace, name)?.metadata.metaLabels("namespace") ?? []
    }
}

/// The objects of a cluster that matter to one discovery, and the groups that have to be made anew.
final class KubernetesObjects: Sendable {
    /// A list that is followed: a kind in a namespace, or in all.
    struct Scope: Sendable, Hashable {
        var kind: KubernetesKind
        /// Empty means all.
        var namespace: String
    }

    private struct State: Sendable {
        var objects: [KubernetesKind: [String: KubernetesObject]] = [:]
        var missing: Set<Scope>
        /// Keys of objects of the role whose groups are to be made.
        var dirty: Set<String> = []
        /// The sources of the groups that were made, by the keys of their objects.
        var sources: [String: String] = [:]
        var dependencies: [String: Set<KubernetesLookup.Dependency>] = [:]
        var dependents: [KubernetesLookup.Dependency: Set<String>] = [:]
    }

    /// The kind of the role.
    private let kind: KubernetesKind
    private let attachments: KubernetesDiscovery.Attachments
    private let state: Mutex<State>
    /// One element whenever something has changed.
    let changes: AsyncStream<Void>
    private let change: AsyncStream<Void>.Continuation

    init(kind: KubernetesKind, scopes: [Scope], attachments: KubernetesDiscovery.Attachments) {
        self.kind = kind
        self.attachments = attachments
        state = Mutex(State(missing: Set(scopes)))
        (changes, change) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// Takes a whole list.
    func replace(_ scope: Scope, with objects: [KubernetesObject]) {
        state.withLock { state in
            var gone = Set(
                (state.objects[scope.kind] ?? [:]).filter { scope.namespace.isEmpty || $0.value.metadata.namespace == scope.namespace }
                    .keys)
            for object in objects {
                gone.remove(object.metadata.key)
                set(object, scope.kind, &state)
            }
            for key in gone { remove(key, scope.kind, &state) }
            state.missing.remove(scope)
        }
        change.yield()
    }

    func set(_ object: KubernetesObject, kind: KubernetesKind) {
        state.withLock { set(object, kind, &$0) }
        change.yield()
    }

    func remove(_ key: String, kind: KubernetesKind) {
        state.withLock { remove(key, kind, &$0) }
        change.yield()
    }

    private func set(_ object: KubernetesObject, _ kind: KubernetesKind, _ state: inout State) {
        let key = object.metadata.key
        guard state.objects[kind]?[key] != object else { return }
        state.objects[kind, default: [:]][key] = object
        touch(key, kind, &state)
    }

    private func remove(_ key: String, _ kind: KubernetesKind, _ state: inout State) {
        guard state.objects[kind]?.removeValue(forKey: key) != nil else { return }
        touch(key, kind, &state)
    }

    private func touch(_ key: String, _ kind: KubernetesKind, _ state: inout State) {
        if kind == self.kind { state.dirty.insert(key) }
        if let keys = state.dependents[.init(kind: kind, key: key)] { state.dirty.formUnion(keys) }
    }

    /// The groups that have changed since the last call; those without targets are to go. None before every list is there:
    /// a part might look like the whole.
    func changedGroups() -> [TargetGroup]? {
        state.withLock { state in
            guard state.missing.isEmpty else { return nil }
            let keys = state.dirty
            state.dirty = []
            return keys.compactMap { makeGroup($0, &state) }
        }
    }

    private func makeGroup(_ key: String, _ state: inout State) -> TargetGroup? {
        for dependency in state.dependencies.removeValue(forKey: key) ?? [] {
            state.dependents[dependency]?.remove(key)
            if state.dependents[dependency]?.isEmpty == true { state.dependents[dependency] = nil }
        }
        guard let object = state.objects[kind]?[key] else {
            return state.sources.removeValue(forKey: key).map { TargetGroup(source: $0, targets: []) }
        }
        var lookup = KubernetesLookup(objects: state.objects, attachments: attachments)
        let group: TargetGroup? =
            switch object {
            case .node(let node): node.group
            case .pod(let pod): pod.group(&lookup)
            case .service(let service): service.group(&lookup)
            case .endpoints(let endpoints): endpoints.group(&lookup)
            case .ingress(let ingress): ingress.group(&lookup)
            case .other: nil
            }
        if !lookup.dependencies.isEmpty {
            state.dependencies[key] = lookup.dependencies
            for dependency in lookup.dependencies { state.dependents[dependency, default: []].insert(key) }
        }
        guard let group else { return state.sources[key].map { TargetGroup(source: $0, targets: []) } }
        state.sources[key] = group.source
        return group
    }
}
