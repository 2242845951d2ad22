import Collectors
import Logging
import Telemetry

extension CollectorSet {
    /// The collection that `promtail` in `apus.yaml` asks for: lines are stored here, and sent to the file's clients where that is wanted.
    static func collection(
        _ settings: ServerSettings, _ backend: ApusServer.Backend, _ redactor: Redactor, _ time: TimeSource, _ logger: Logger
    ) throws(ServeError) -> LogCollection? {
        guard let promtail = settings.logCollection.promtail else { return nil }
        let transport = HTTPTransport(userAgent: "apus/\(Version.number)")
        var place = LogCollection.Place(
            store: RedactingStore(backend.store, redactor: redactor), positions: backend.state, spoolFolder: backend.spoolFolder,
            transport: transport
        ) { client in LokiPushClient(client, transport: transport).post }
        place.sendsToClients = settings.logCollection.sendsToClients
        do {
            return try LogCollection(promtail, place: place, time: time, logger: logger)
        } catch {
            throw ServeError(.configuration, "\(promtail.file): \(error)")
        }
    }

    /// - Throws: ``ServeError`` where an encoding is unknown; then nothing has changed.
    func applyPromtail(_ settings: ServerSettings) throws(ServeError) {
        guard let new = settings.logCollection.promtail, let promtail else { return }
        do throws(EncodingError) { try promtail.apply(new) } catch {
            throw ServeError(.configuration, "\(new.file): \(error)")
        }
    }

    /// What all collection of logs counts.
    var allSourceMetrics: [SourceMetrics] { [sourceMetrics] + (promtail.map { [$0.metrics] } ?? []) }
}
