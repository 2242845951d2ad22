import Settings
import Telemetry
import Templates

/// `geoip`: labels that say where an address is, from a MaxMind DB file.
struct GeoIPStage: Stage {
    private enum Kind: String, CaseIterable { case city, country, asn }

    private let database: MaxMindDatabase
    private let source: String?
    private let kind: Kind

    init(_ options: StageOptions, _ context: inout StageContext) throws(ConfigurationError) {
        let fields = try options.reading(["db", "source", "db_type"], &context)
        let path = try fields.required("db")
        source = try fields.source()
        let type = try fields.required("db_type")
        kind = Kind(rawValue: try type.choice(Kind.allCases.map(\.rawValue))) ?? .city
        do throws(MaxMindDatabase.Fault) {
            database = try MaxMindDatabase(path: try path.asText())
        } catch {
            throw path.error("the geoip database cannot be used: \(error.description)")
        }
    }

    mutating func process(_ entry: inout StageEntry, _: inout StageRun) -> Bool {
        guard let source, let text = entry.extracted[source]?.text, let address = IPAddress.bytes(text),
            let record = try? database.lookUp(address)
        else { return true }
        func set(_ label: String, _ value: String?) {
            if let value, !value.isEmpty { entry.labels["geoip_" + label] = value }
        }
        func name(_ value: MaxMindDatabase.Value?) -> String? { value?["names"]?["en"]?.text }
        if kind == .asn {
            if let number = record["autonomous_system_number"]?.number, number != 0 { set("autonomous_system_number", String(number)) }
            set("autonomous_system_organization", record["autonomous_system_organization"]?.text)
            return true
        }
        set("country_name", name(record["country"]))
        set("continent_name", name(record["continent"]))
        set("continent_code", record["continent"]?["code"]?.text)
        guard kind == .city else { return true }
        set("city_name", name(record["city"]))
        set("postal_code", record["postal"]?["code"]?.text)
        let location = record["location"]
        set("timezone", location?["time_zone"]?.text)
        if let latitude = location?["latitude"]?.double, let longitude = location?["longitude"]?.double {
            set("location_latitude", GoNumber.text(latitude))
            set("location_longitude", GoNumber.text(longitude))
        }
        // The last subdivision is the smallest.
        let subdivision = record["subdivisions"]?.elements?.last
        set("subdivision_name", name(subdivision))
        set("subdivision_code", subdivision?["iso_code"]?.text)
        return true
    }
}

extension ConfigurationNode {
    fileprivate func asText() throws(MaxMindDatabase.Fault) -> String {
        guard let text = try? nonEmptyString else { throw MaxMindDatabase.Fault(description: "db is empty") }
        return text
    }
}
