import Settings
import Testing

@testable import Collectors

@Suite("SecretRedaction")
struct SecretRedactionTests {
    @Test("what others see of a configuration has no secrets, and is otherwise as it was written")
    func redacts() throws {
        let text = """
            # the shop
            global: {external_labels: {token: stays, password: 'stays'}}
            scrape_configs:
              - job_name: a   # comment
                basic_auth: {username: user, password: 's,}e''cret'}
                static_configs: [{targets: ['a:1'], labels: {secret: stays}}]
              - job_name: b
                authorization:
                  credentials: "a\\"b"   # kept
                proxy_url: http://me:p%40ss@proxy:3128
                tls_config:
                  ca: not secret
                  key: |
                    -----BEGIN PRIVATE KEY-----
                    abc

                    -----END PRIVATE KEY-----
                  cert: shown
                http_headers: {X-A: {values: [shown], secrets: [one, two]}}
              - job_name: c
                bearer_token: plain
                consul_sd_configs: [{server: 'localhost:8500', token: tok}]
            """
        let expected = """
            # the shop
            global: {external_labels: {token: stays, password: 'stays'}}
            scrape_configs:
              - job_name: a   # comment
                basic_auth: {username: user, password: <secret>}
                static_configs: [{targets: ['a:1'], labels: {secret: stays}}]
              - job_name: b
                authorization:
                  credentials: <secret>   # kept
                proxy_url: http://me:xxxxx@proxy:3128
                tls_config:
                  ca: not secret
                  key: <secret>
                  cert: shown
                http_headers: {X-A: {values: [shown], secrets: [<secret>, <secret>]}}
              - job_name: c
                bearer_token: <secret>
                consul_sd_configs: [{server: 'localhost:8500', token: <secret>}]
            """
        #expect(SecretRedaction.redact(text, try ConfigurationNode.parse(text, file: "p.yml")) == expected)
    }

    @Test("a configuration's text is kept without its secrets")
    func configuration() throws {
        let text = "scrape_configs: [{job_name: a, bearer_token: tell-nobody}]"
        #expect(try PrometheusConfiguration.parse(text, file: "p.yml").text == "scrape_configs: [{job_name: a, bearer_token: <secret>}]")
    }
}
