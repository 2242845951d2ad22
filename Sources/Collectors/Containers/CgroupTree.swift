import Patterns

/// Finds the groups of a hierarchy.
struct CgroupTree: Sendable {
    /// More than a machine runs; each costs a dozen files a round.
    static let groupCountMax = 5_000
    /// Slices nest in slices: `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podX.slice/cri-containerd-Y.scope`.
    private static let depthMax = 12

    let root: String
    let exclude: Pattern?

    /// Where systems mount cgroup v2, alone or beside v1; nil where they do not.
    static var standardRoot: String? {
        ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].first { SystemFile.text($0 + "/cgroup.controllers") != nil }
    }

    /// Every group, parents before children. What a container makes of its own group is its business: below one nothing is looked at.
    ///
    /// - Returns: nil where there is no hierarchy.
    func groups() -> [Cgroup]? {
        guard SystemFile.text(root + "/cgroup.controllers") != nil else { return nil }
        var groups = [Cgroup(id: "/", folder: root)]
        walk(root, "", depth: 0, &groups)
        return groups
    }

    private func walk(_ folder: String, _ path: String, depth: Int, _ groups: inout [Cgroup]) {
        guard depth < Self.depthMax else { return }
        for name in Self.subgroups(folder) {
            guard groups.count < Self.groupCountMax else { return }
            let id = path + "/" + name
            guard exclude?.matchesPart(id) != true else { continue }
            let group = Cgroup(id: id, folder: folder + "/" + name, containerID: Cgroup.containerID(in: name))
            groups.append(group)
            if group.containerID == nil { walk(group.folder, id, depth: depth + 1, &groups) }
        }
    }

    private static func subgroups(_ folder: String) -> [String] {
        SystemFile.folders(folder) ?? []
    }
}
