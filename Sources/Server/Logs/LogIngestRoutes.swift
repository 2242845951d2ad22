import Telemetry

/// The protocols that bring logs alone.
struct LogIngestRoutes {
    let ingest: Ingest

    var routes: [Route] {
        LokiPushRoutes(ingest: ingest).routes + JSONLinesRoutes(ingest: ingest).routes + ElasticsearchRoutes(ingest: ingest).routes
    }
}
