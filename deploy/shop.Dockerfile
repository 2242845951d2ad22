# syntax=docker/dockerfile:1
# The shop's Go programs, from Debian's Go packages: no module proxy is asked.
#   docker build -f deploy/shop.Dockerfile --target orders -t apus-shop-orders .

FROM debian:bookworm-slim AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        golang-go golang-go.uber-zap-dev golang-opentelemetry-otel-dev golang-github-prometheus-client-golang-dev golang-github-lib-pq-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY scripts/build-go.sh scripts/
COPY kits kits
COPY examples/shop/orders examples/shop/orders
COPY examples/shop/traffic examples/shop/traffic
RUN scripts/build-go.sh

FROM debian:bookworm-slim AS runtime
RUN groupadd --system --gid 10001 app \
    && useradd --system --uid 10001 --gid app --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin app \
    && install -d -o app -g app /var/log/shop
USER 10001:10001

FROM runtime AS orders
LABEL org.opencontainers.image.title="Apus shop: orders" \
    org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /src/.run/bin/orders /usr/local/bin/orders
ENV HOST=0.0.0.0 PORT=8080
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=2s --start-period=10s --retries=5 \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /healthz HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && head -n 1 <&3 | grep -q ' 200 '"]
ENTRYPOINT ["/usr/local/bin/orders"]

FROM runtime AS traffic
LABEL org.opencontainers.image.title="Apus shop: traffic" \
    org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /src/.run/bin/traffic /usr/local/bin/traffic
# It listens nowhere: while it runs it is well.
HEALTHCHECK NONE
ENTRYPOINT ["/usr/local/bin/traffic"]
