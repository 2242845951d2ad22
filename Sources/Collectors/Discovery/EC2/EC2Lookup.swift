import Synchronization
import Telemetry

/// Asks EC2 for its instances, page by page.
final class EC2Lookup: RefreshedDiscovery {
    private let api: EC2API
    private let configuration: EC2Discovery
    /// The ids of the zones by their names, once they are known.
    private let zoneIDs = Mutex<[String: String]?>(nil)

    private static let pageCountMax = 10_000
    private static let prefix = "__meta_ec2_"

    init(api: EC2API, configuration: EC2Discovery) {
        self.api = api
        self.configuration = configuration
    }

    var refreshInterval: Duration { configuration.refreshInterval }

    func refresh() async throws -> [TargetGroup] {
        if zoneIDs.withLock({ $0 == nil }), let answer = try? await api.send("DescribeAvailabilityZones", []) {
            var ids: [String: String] = [:]
            for zone in answer.items("availabilityZoneInfo") {
                if let name = zone.value("zoneName") { ids[name] = zone.value("zoneId") }
            }
            zoneIDs.withLock { $0 = ids }
        }
        var parameters: [(String, String)] = []
        for (index, filter) in configuration.filters.enumerated() {
            parameters.append(("Filter.\(index + 1).Name", filter.name))
            for (place, value) in filter.values.enumerated() {
                parameters.append(("Filter.\(index + 1).Value.\(place + 1)", value))
            }
        }
        var group = TargetGroup(targets: [])
        var next: String?
        for _ in 0..<Self.pageCountMax {
            let page = try await api.send("DescribeInstances", parameters + (next.map { [("NextToken", $0)] } ?? []))
            for reservation in page.items("reservationSet") {
                for instance in reservation.items("instancesSet") {
                    if let target = target(instance, owner: reservation.value("ownerId") ?? "") { group.targets.append(target) }
                }
            }
            next = page.value("nextToken")
            if next == nil { break }
        }
        group.source = api.region
        return [group]
    }

    /// nil for an instance without an address.
    private func target(_ instance: XMLElement, owner: String) -> Labels? {
        let addresses = IPv6Addresses(instance)
        let privateIP = instance.value("privateIpAddress")
        guard let address = privateIP ?? addresses.standard else { return nil }
        let zone = instance["placement"]?.value("availabilityZone") ?? ""
        var labels = [Label(TargetGroup.addressLabel, .hostPort(address, configuration.port))]
        func add(_ name: String, _ value: String?) { labels.append(Label(Self.prefix + name, value ?? "")) }
        add("instance_id", instance.value("instanceId"))
        add("region", api.region)
        add("owner_id", owner)
        add("default_ipv6_address", addresses.standard)
        add("private_ip", privateIP)
        add("private_dns_name", instance.value("privateDnsName"))
        add("platform", instance.value("platform"))
        if let publicIP = instance.value("ipAddress") {
            add("public_ip", publicIP)
            add("public_dns_name", instance.value("dnsName"))
        }
        add("primary_ipv6_addresses", Self.list(addresses.primary))
        add("ipv6_addresses", Self.list(addresses.all))
        add("ami", instance.value("imageId"))
        add("availability_zone", zone)
        add("availability_zone_id", zoneIDs.withLock { $0?[zone] })
        add("instance_state", instance["instanceState"]?.value("name"))
        add("instance_type", instance.value("instanceType"))
        add("instance_lifecycle", instance.value("instanceLifecycle"))
        add("architecture", instance.value("architecture"))
        if let vpc = instance.value("vpcId") {
            add("vpc_id", vpc)
            add("primary_subnet_id", instance.value("subnetId"))
            var subnets: [String] = []
            for interface in instance.items("networkInterfaceSet") {
                if let subnet = interface.value("subnetId"), !subnets.contains(subnet) { subnets.append(subnet) }
            }
            add("subnet_id", "," + subnets.joined(separator: ",") + ",")
        }
        for tag in instance.items("tagSet") {
            if let key = tag.value("key") { add("tag_" + LabelName.sanitize(key), tag.value("value")) }
        }
        return Labels(labels)
    }

    /// With separators at both ends, so that expressions need not care where an element stands.
    private static func list(_ values: [String]) -> String? {
        values.isEmpty ? nil : "," + values.joined(separator: ",") + ","
    }

    /// The IPv6 addresses of an instance's interfaces.
    private struct IPv6Addresses {
        var all: [String] = []
        /// The primary ones at the place of their interface; "" where an interface has none.
        var primary: [String] = []

        /// More interfaces than any instance has.
        private static let interfaceCountMax = 64

        init(_ instance: XMLElement) {
            guard instance.value("vpcId") != nil else { return }
            for interface in instance.items("networkInterfaceSet") where interface.value("subnetId") != nil {
                for entry in interface.items("ipv6AddressesSet") {
                    guard let address = entry.value("ipv6Address") else { continue }
                    all.append(address)
                    guard entry.value("isPrimaryIpv6") == "true",
                        let place = interface["attachment"]?.value("deviceIndex").flatMap({ Int($0) }),
                        (0..<Self.interfaceCountMax).contains(place)
                    else { continue }
                    while primary.count <= place { primary.append("") }
                    primary[place] = address
                }
            }
        }

        var standard: String? { (primary + all).first { !$0.isEmpty } }
    }
}
