import Codecs
import Formats
import Settings
import Telemetry

/// Version, uptime and the store's figures, for the web app.
struct StatusRoutes {
    let store: any TelemetryStore
    let time: TimeSource
    /// Nanoseconds since the Unix epoch.
    let startedAt: Int64

    var routes: [Route] {
        [
            .get("/api/apus/status", scope: .query, errors: .apus) { _ in await status() },
            .get("/api/apus/damage", scope: .query, errors: .apus) { _ in await damage() },
        ]
    }

    /// The places on disk that could not be read since the start.
    private func damage() async -> Answer {
        let statistics = await store.statistics()
        var json = JSONWriter()
        json.beginObject()
        json.field("count", statistics.quarantinedCount)
        json.key("damaged")
        json.beginArray()
        for damage in statistics.damages {
            json.beginObject()
            json.field("kind", damage.kind.rawValue)
            if let signal = damage.signal { json.field("signal", signal.name) }
            json.field("path", damage.path)
            if let offset = damage.offset { json.field("offset", offset) }
            json.field("message", damage.message)
            json.endObject()
        }
        json.endArray()
        json.endObject()
        return .json(json.bytes)
    }

    private func status() async -> Answer {
        let statistics = await store.statistics()
        var json = JSONWriter()
        json.beginObject()
        json.field("version", Version.number)
        json.field("startedAt", RFC3339.text(nanoseconds: startedAt, digits: 3))
        json.field("uptimeSeconds", Double(time.nanoseconds - startedAt) * 1e-9)
        json.key("store")
        json.beginObject()
        json.key("signals")
        json.beginObject()
        for signal in Signal.allCases {
            let figures = statistics.signals[signal] ?? StoreStatistics.SignalFigures()
            json.key(signal.name)
            json.beginObject()
            json.field("streams", figures.streamCount)
            json.field("rowsAppended", Int(clamping: figures.rowsAppended))
            json.field("memtableRows", figures.memtableRowCount)
            json.field("parts", figures.partCount)
            json.field("partRows", figures.partRowCount)
            json.field("diskBytes", figures.diskByteCount)
            if let range = figures.range {
                let unit = 1_000_000_000 / signal.unitsPerSecond
                json.field("oldest", RFC3339.text(nanoseconds: range.start.multipliedReportingOverflow(by: unit).partialValue, digits: 3))
                json.field("newest", RFC3339.text(nanoseconds: range.end.multipliedReportingOverflow(by: unit).partialValue, digits: 3))
            }
            json.endObject()
        }
        json.endObject()
        json.field("walBytes", statistics.walByteCount)
        json.field("flushes", Int(clamping: statistics.flushCount))
        json.field("merges", Int(clamping: statistics.mergeCount))
        json.field("quarantined", statistics.quarantinedCount)
        if let free = statistics.diskFreeByteCount, let reserve = statistics.diskReserveByteCount {
            json.field("diskFreeBytes", free)
            json.field("diskReserveBytes", reserve)
        }
        json.endObject()
        json.endObject()
        return .json(json.bytes)
    }
}
