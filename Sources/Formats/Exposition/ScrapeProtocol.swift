/// A format in which targets expose metrics, by the name that `scrape_protocols` gives it (Prometheus, configuration, `<scrape_config>`).
package enum ScrapeProtocol: String, Sendable, Hashable, CaseIterable {
    case openMetricsText001 = "OpenMetricsText0.0.1"
    case openMetricsText100 = "OpenMetricsText1.0.0"
    case prometheusProto = "PrometheusProto"
    case prometheusText004 = "PrometheusText0.0.4"
    case prometheusText100 = "PrometheusText1.0.0"

    /// What is asked for where no protocols are configured, the best first.
    package static let standard: [ScrapeProtocol] = [
        .openMetricsText100, .openMetricsText001, .prometheusText100, .prometheusText004,
    ]

    /// The same where native histograms or start times are wanted, which only protobuf brings whole.
    package static let protobufFirst: [ScrapeProtocol] = [.prometheusProto] + standard

    /// How it is asked for, without escaping and weight.
    package var contentType: String {
        switch self {
        case .prometheusProto: "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
        case .prometheusText004: "text/plain;version=0.0.4"
        case .prometheusText100: "text/plain;version=1.0.0"
        case .openMetricsText001: "application/openmetrics-text;version=0.0.1"
        case .openMetricsText100: "application/openmetrics-text;version=1.0.0"
        }
    }

    /// How an answer of it is read.
    package var format: ExpositionFormat {
        switch self {
        case .prometheusProto: .protobuf
        case .prometheusText004, .prometheusText100: .prometheusText
        case .openMetricsText001, .openMetricsText100: .openMetrics
        }
    }

    /// The `Accept` header that asks for `protocols` in this order, with Prometheus' weights (scrape.go, `acceptHeader`): one more than there
    /// are protocols for the first, one less for each of the others, and for anything else the least.
    package static func acceptHeader(_ protocols: [ScrapeProtocol], escaping: NameEscaping) -> String {
        var weight = allCases.count + 1
        var values: [String] = []
        for scrapeProtocol in protocols {
            let takesEscaping = scrapeProtocol == .prometheusText100 || scrapeProtocol == .openMetricsText100
            values.append("\(scrapeProtocol.contentType)\(takesEscaping ? ";escaping=\(escaping.rawValue)" : "");q=0.\(weight)")
            weight -= 1
        }
        return (values + ["*/*;q=0.\(weight)"]).joined(separator: ",")
    }
}

/// How a target is asked to write names that are no identifiers (prometheus/common, model, `EscapingScheme`).
package enum NameEscaping: String, Sendable, Hashable, CaseIterable {
    case allowUTF8 = "allow-utf-8"
    case underscores
    case dots
    case values
}

/// How the bytes of an answer are read.
package enum ExpositionFormat: Sendable, Hashable {
    case prometheusText
    case openMetrics
    case protobuf

    /// What errors call it.
    package var name: String {
        switch self {
        case .prometheusText: "Prometheus text"
        case .openMetrics: "OpenMetrics"
        case .protobuf: "Prometheus protobuf"
        }
    }

    /// The format of an answer. Prometheus 3 takes nothing for granted: an answer that names no known type fails the scrape, unless
    /// `fallback_scrape_protocol` says what to take it for (model/textparse, `extractMediaType`).
    ///
    /// - Throws: ``ScrapeProtocolError`` with what is wrong with the `Content-Type`.
    package init(contentType: String?, fallback: ScrapeProtocol?) throws(ScrapeProtocolError) {
        switch Self.known(contentType ?? "") {
        case .success(let format): self = format
        case .failure(let flaw):
            guard let fallback else { throw flaw }
            self = fallback.format
        }
    }

    /// What an `Accept` header wants most of what can be given: protobuf or Prometheus' text (expfmt, `Negotiate`).
    package init(accept: String) {
        var best: (format: ExpositionFormat, weight: Double) = (.prometheusText, -1)
        for clause in accept.split(separator: ",") {
            var weight = 1.0
            var parameters: Set<String> = []
            let parts = clause.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
            for part in parts.dropFirst() {
                if part.hasPrefix("q=") { weight = Double(part.dropFirst(2)) ?? 0 } else { parameters.insert(part) }
            }
            let format: ExpositionFormat
            switch parts.first?.lowercased() {
            case "application/vnd.google.protobuf":
                guard parameters.isSuperset(of: ["proto=io.prometheus.client.MetricFamily", "encoding=delimited"]) else { continue }
                format = .protobuf
            case "text/plain", "*/*": format = .prometheusText
            default: continue
            }
            if weight > best.weight { best = (format, weight) }
        }
        self = best.weight > 0 ? best.format : .prometheusText
    }

    private static func known(_ contentType: String) -> Result<ExpositionFormat, ScrapeProtocolError> {
        let missing = "no fallback_scrape_protocol specified for target"
        guard !contentType.isEmpty else {
            return .failure(ScrapeProtocolError("non-compliant scrape target sending blank Content-Type and \(missing)"))
        }
        guard let mediaType = MediaType.name(contentType) else {
            return .failure(ScrapeProtocolError("cannot parse Content-Type \(contentType.debugDescription) and \(missing)"))
        }
        switch mediaType {
        case "text/plain": return .success(.prometheusText)
        case "application/openmetrics-text": return .success(.openMetrics)
        case "application/vnd.google.protobuf": return .success(.protobuf)
        default: return .failure(ScrapeProtocolError("received unsupported Content-Type \(contentType.debugDescription) and \(missing)"))
        }
    }
}

/// Why it cannot be told in which format an answer is.
package struct ScrapeProtocolError: Error, Sendable, Hashable, CustomStringConvertible {
    package var description: String

    init(_ description: String) {
        self.description = description
    }
}

/// The value of a `Content-Type` (RFC 9110, 8.3.1).
private enum MediaType {
    /// The type in lower case; nil where it or its parameters are malformed.
    static func name(_ text: String) -> String? {
        let parts = split(text)
        guard let first = parts.first else { return nil }
        let name = trimmed(first).lowercased()
        let words = name.split(separator: "/", omittingEmptySubsequences: false)
        guard words.count <= 2, words.allSatisfy({ isToken($0) }) else { return nil }
        for (index, part) in parts.dropFirst().enumerated() {
            let parameter = trimmed(part)
            // A semicolon may end the value.
            if parameter.isEmpty, index == parts.count - 2 { continue }
            guard let equals = parameter.firstIndex(of: "="), isToken(trimmed(parameter[..<equals])[...]) else { return nil }
            let value = trimmed(parameter[parameter.index(after: equals)...])
            let isQuoted = value.utf8.count >= 2 && value.hasPrefix("\"") && value.hasSuffix("\"")
            guard isQuoted || isToken(value[...]) else { return nil }
        }
        return name
    }

    /// The parts between semicolons that stand in no quotes.
    private static func split(_ text: String) -> [Substring] {
        var parts: [Substring] = []
        var start = text.startIndex
        var isQuoted = false
        var isEscaped = false
        for index in text.indices {
            switch text[index] {
            case _ where isEscaped: isEscaped = false
            case "\\" where isQuoted: isEscaped = true
            case "\"": isQuoted.toggle()
            case ";" where !isQuoted:
                parts.append(text[start..<index])
                start = text.index(after: index)
            default: break
            }
        }
        return parts + [text[start...]]
    }

    private static func trimmed(_ text: Substring) -> String {
        let head = text.drop { $0 == " " || $0 == "\t" }
        guard let last = head.lastIndex(where: { $0 != " " && $0 != "\t" }) else { return "" }
        return String(head[...last])
    }

    private static func isToken(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { byte in
            byte > 0x20 && byte < 0x7f && !"()<>@,;:\\\"/[]?=".utf8.contains(byte)
        }
    }
}
