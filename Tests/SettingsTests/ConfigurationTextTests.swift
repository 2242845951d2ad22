import Settings
import Testing

@Suite("Configuration as text")
struct ConfigurationTextTests {
    @Test("what is written reads back as what was read, secrets apart")
    func roundTrip() throws {
        let text = """
            global: {scrape_interval: 15s, empty: , list: []}
            scrape_configs:
              - job_name: 'a: b # c'
                basic_auth: {username: u, password: hidden}
                params: {module: [x, "tab\\there"], n: ['', ~]}
                proxy_url: http://user:hidden@proxy:3128/x@y
                nested: [[1, 2], [{a: -5}]]
                authorization: {credentials_file: /run/secret}
            """
        let node = try ConfigurationNode.parse(text, file: "p.yml")
        let written = node.yamlWithoutSecrets
        #expect(!written.contains("hidden"))
        #expect(written.contains("password: <secret>"))
        #expect(written.contains("proxy_url: http://user:xxxxx@proxy:3128/x@y"))
        #expect(written.contains("credentials_file: /run/secret"))
        let again = try ConfigurationNode.parse(written, file: "p.yml")
        #expect(again.yamlWithoutSecrets == written)
        let job = try again.mapping(["global", "scrape_configs"]).required("scrape_configs").list[0]
        #expect(try job.pairs.first?.value.string == "a: b # c")
        #expect(try job.pairs[2].value.pairs.first?.value.strings == ["x", "tab\there"])
    }
}
