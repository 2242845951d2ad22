import Telemetry

/// Makes log streams of one resource's records.
struct OTLPLogTranslator {
    /// The resource attributes that Loki makes labels of unless told otherwise (its `otlp_config` defaults). Those of pods and
    /// instances are many, but a stream is one sender's anyway.
    static let indexLabels: Set<String> = [
        "service.name", "service.namespace", "service.instance.id", "deployment.environment", "deployment.environment.name",
        "cloud.region", "cloud.availability_zone", "k8s.cluster.name", "k8s.namespace.name", "k8s.pod.name", "k8s.container.name",
        "container.name", "k8s.replicaset.name", "k8s.deployment.name", "k8s.statefulset.name", "k8s.daemonset.name",
        "k8s.cronjob.name", "k8s.job.name",
    ]

    private let resource: Resource
    private let labels: Labels
    /// The other resource attributes, which go with every entry.
    private let metadata: [Label]

    init(resource: Resource) {
        self.resource = resource
        var labels: [Label] = []
        var metadata: [Label] = []
        for attribute in resource.attributes {
            if Self.indexLabels.contains(attribute.name) {
                labels.append(Label(PrometheusNaming.labelName(attribute.name), attribute.value.text))
            } else {
                Self.flatten(attribute, prefix: "", &metadata)
            }
        }
        if resource.attributes["service.name"] == nil {
            labels.append(Label("service_name", resource.serviceName))
        }
        self.labels = Labels(labels)
        self.metadata = metadata
    }

    /// - Parameter labelCount: how many labels all entries of the batch have so far.
    func stream(
        _ group: OTLPLogGroup, now: Int64, labelCount: inout Int, _ rejections: inout Rejections
    ) -> LogBatch.Stream {
        var stream = LogBatch.Stream(labels: labels, resource: resource)
        for scope in group.scopes {
            var shared = metadata
            if !scope.scope.name.isEmpty { shared.append(Label("scope_name", scope.scope.name)) }
            if !scope.scope.version.isEmpty { shared.append(Label("scope_version", scope.scope.version)) }
            for attribute in scope.scope.attributes { Self.flatten(attribute, prefix: "", &shared) }
            for record in scope.records {
                // The record's own fields are seven at most.
                let count = shared.count + record.attributes.count
                guard count <= OTLPLimits.metadataCountMax else {
                    let limit = OTLPLimits.metadataCountMax
                    rejections.add("a log record has \(count) attributes with its scope's and resource's: at most \(limit)")
                    continue
                }
                guard labelCount + count <= OTLPLimits.labelCountMax else {
                    rejections.add("the request makes more than \(OTLPLimits.labelCountMax) labels: send smaller ones")
                    continue
                }
                labelCount += count
                stream.entries.append(entry(record, shared, now))
            }
        }
        return stream
    }

    private func entry(_ record: OTLPLogRecord, _ shared: [Label], _ now: Int64) -> LogEntry {
        var labels = shared
        for attribute in record.attributes { Self.flatten(attribute, prefix: "", &labels) }
        if record.observedTime != 0 { labels.append(Label("observed_timestamp", String(record.observedTime))) }
        if record.severityNumber != 0 { labels.append(Label("severity_number", String(record.severityNumber))) }
        if !record.severityText.isEmpty { labels.append(Label("severity_text", record.severityText)) }
        if record.droppedAttributesCount != 0 {
            labels.append(Label("dropped_attributes_count", String(record.droppedAttributesCount)))
        }
        if record.flags != 0 { labels.append(Label("flags", String(record.flags))) }
        if !record.eventName.isEmpty { labels.append(Label("event_name", record.eventName)) }
        if !record.traceID.isNone { labels.append(Label("trace_id", record.traceID.description)) }
        if !record.spanID.isNone { labels.append(Label("span_id", record.spanID.description)) }
        if let level = Self.level(record) { labels.append(Label("detected_level", level)) }
        let timestamp = record.time != 0 ? record.time : record.observedTime != 0 ? record.observedTime : now
        var entry = LogEntry(
            timestamp: timestamp, line: record.body.text, metadata: Labels(labels), traceID: record.traceID,
            spanID: record.spanID)
        entry.adoptTraceContext()
        return entry
    }

    /// Maps become one label a member, names joined by underscores; everything else is one label.
    private static func flatten(_ attribute: Attribute, prefix: String, _ labels: inout [Label]) {
        let name = prefix.isEmpty ? attribute.name : prefix + "_" + attribute.name
        if case .map(let members) = attribute.value, name.utf8.count <= OTLPLimits.nameByteCountMax {
            for member in members { flatten(member, prefix: name, &labels) }
        } else {
            labels.append(Label(PrometheusNaming.labelName(name), attribute.value.text))
        }
    }

    /// Loki's level: from the severity's number in steps of four (logs data model, "Displaying Severity"), else from its text.
    private static func level(_ record: OTLPLogRecord) -> String? {
        switch record.severityNumber {
        case 1...4: return "trace"
        case 5...8: return "debug"
        case 9...12: return "info"
        case 13...16: return "warn"
        case 17...20: return "error"
        case 21...24: return "fatal"
        default: break
        }
        switch record.severityText.lowercased() {
        case "trace", "trc": return "trace"
        case "debug", "dbg": return "debug"
        case "info", "inf", "information", "notice": return "info"
        case "warn", "wrn", "warning": return "warn"
        case "error", "err": return "error"
        case "critical", "crit": return "critical"
        case "fatal", "emergency", "alert", "panic": return "fatal"
        default: return nil
        }
    }
}
