import Foundation
import Logging
import NIOHTTP1
import Telemetry
import TestSupport
import Testing

@testable import Collectors

@Suite("EC2Discovery")
struct EC2DiscoveryTests {
    private static func instance(_ id: String, _ more: String) -> String {
        """
        <item><instanceId>\(id)</instanceId><imageId>ami-1</imageId><instanceState><code>16</code><name>running</name></instanceState>
        <privateDnsName>ip-10-0-0-4.ec2.internal</privateDnsName><instanceType>t3.micro</instanceType>
        <placement><availabilityZone>eu-west-2a</availabilityZone></placement><architecture>x86_64</architecture>\(more)</item>
        """
    }

    private static func page(_ instances: String, next: String? = nil) -> String {
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r</requestId>
        <reservationSet><item><reservationId>x</reservationId><ownerId>42</ownerId><instancesSet>\(instances)</instancesSet></item></reservationSet>
        \(next.map { "<nextToken>\($0)</nextToken>" } ?? "")</DescribeInstancesResponse>
        """
    }

    private static let first = instance(
        "i-1",
        """
        <privateIpAddress>10.0.0.4</privateIpAddress><ipAddress>3.3.3.3</ipAddress><dnsName>ec2-3-3-3-3.compute.amazonaws.com</dnsName>
        <vpcId>vpc-1</vpcId><subnetId>subnet-1</subnetId><platform>windows</platform><instanceLifecycle>spot</instanceLifecycle>
        <tagSet><item><key>Name</key><value>web &amp; more</value></item><item><key>team-x</key><value>shop</value></item></tagSet>
        <networkInterfaceSet>
        <item><subnetId>subnet-1</subnetId><attachment><deviceIndex>0</deviceIndex></attachment><ipv6AddressesSet/></item>
        <item><subnetId>subnet-2</subnetId><attachment><deviceIndex>1</deviceIndex></attachment><ipv6AddressesSet>
        <item><ipv6Address>2001:db8::1</ipv6Address><isPrimaryIpv6>true</isPrimaryIpv6></item></ipv6AddressesSet></item>
        </networkInterfaceSet>
        """)

    private static let zones = """
        <DescribeAvailabilityZonesResponse><availabilityZoneInfo><item><zoneName>eu-west-2a</zoneName><zoneId>euw2-az2</zoneId></item>
        </availabilityZoneInfo></DescribeAvailabilityZonesResponse>
        """

    private func server() throws -> LoopbackServer {
        try LoopbackServer { request in
            let body = String(decoding: request.body, as: UTF8.self)
            if body.hasPrefix("Action=DescribeAvailabilityZones") { return .text(Self.zones, contentType: "text/xml") }
            if body.contains("AssumeRole") {
                return .text(
                    """
                    <AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>role</SecretAccessKey>
                    <SessionToken>session</SessionToken><Expiration>2126-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>
                    """, contentType: "text/xml")
            }
            if body.contains("NextToken=more") {
                let six = "<vpcId>vpc-1</vpcId><subnetId>s</subnetId><networkInterfaceSet><item><subnetId>s</subnetId><ipv6AddressesSet><item><ipv6Address>2001:db8::2</ipv6Address><isPrimaryIpv6>false</isPrimaryIpv6></item></ipv6AddressesSet></item></networkInterfaceSet>"
                return .text(Self.page(Self.instance("i-2", six) + Self.instance("i-3", "")), contentType: "text/xml")
            }
            return .text(Self.page(Self.first, next: "more"), contentType: "text/xml")
        }
    }

    @Test("instances of all pages are found, with signed requests and filters; those without an address are left out")
    func instances() async throws {
        let server = try server()
        let targets = try await DiscoveryBench.targets(
            "ec2_sd_configs: [{endpoint: '\(server.url)', region: eu-west-2, access_key: AKID, secret_key: SECRET, port: 9100, "
                + "filters: [{name: 'tag:env', values: [a, b]}]}]")
        let p = "__meta_ec2_"
        #expect(targets.map { $0[p + "instance_id"] } == ["i-1", "i-2"])
        #expect(
            targets[0]
                == Labels([
                    "__address__": "10.0.0.4:9100", p + "instance_id": "i-1", p + "region": "eu-west-2", p + "owner_id": "42",
                    p + "private_ip": "10.0.0.4", p + "private_dns_name": "ip-10-0-0-4.ec2.internal", p + "platform": "windows",
                    p + "public_ip": "3.3.3.3", p + "public_dns_name": "ec2-3-3-3-3.compute.amazonaws.com", p + "ami": "ami-1",
                    p + "availability_zone": "eu-west-2a", p + "availability_zone_id": "euw2-az2", p + "instance_state": "running",
                    p + "instance_type": "t3.micro", p + "instance_lifecycle": "spot", p + "architecture": "x86_64",
                    p + "vpc_id": "vpc-1", p + "primary_subnet_id": "subnet-1", p + "subnet_id": ",subnet-1,subnet-2,",
                    p + "default_ipv6_address": "2001:db8::1", p + "primary_ipv6_addresses": ",,2001:db8::1,",
                    p + "ipv6_addresses": ",2001:db8::1,", p + "tag_Name": "web & more", p + "tag_team_x": "shop",
                ]))
        #expect(targets[1]["__address__"] == "[2001:db8::2]:9100")
        let request = try #require(server.requests.first { String(decoding: $0.body, as: UTF8.self).contains("DescribeInstances") })
        #expect(
            String(decoding: request.body, as: UTF8.self)
                == "Action=DescribeInstances&Version=2016-11-15&Filter.1.Name=tag%3Aenv&Filter.1.Value.1=a&Filter.1.Value.2=b")
        let authorization = request.headers["authorization"] ?? ""
        #expect(authorization.hasPrefix("AWS4-HMAC-SHA256 Credential=AKID/"))
        #expect(authorization.contains("/eu-west-2/ec2/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature="))
    }

    @Test("a signature is the one that AWS' own test suite gives")
    func signature() {
        let credentials = AWSCredentials(accessKey: "AKIDEXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
        let headers = AWSSignature(credentials: credentials, region: "us-east-1", service: "service").headers(
            host: "example.amazonaws.com", contentType: "application/x-www-form-urlencoded", body: Array("Param1=value1".utf8),
            date: 1_440_938_160_000)
        #expect(headers.first(name: "X-Amz-Date") == "20150830T123600Z")
        #expect(
            headers.first(name: "Authorization")
                == "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
                + "SignedHeaders=content-type;host;x-amz-date, Signature=ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a")
    }

    @Test("a role is taken on with the credentials of the environment; its token goes along")
    func role() async throws {
        let server = try server()
        let targets = try await DiscoveryBench.targets(
            "ec2_sd_configs: [{endpoint: '\(server.url)', role_arn: 'arn:aws:iam::1:role/x', external_id: e1}]",
            environment: [
                "AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "S", "AWS_REGION": "us-east-2", "AWS_ENDPOINT_URL_STS": server.url,
            ])
        #expect(targets.count == 2)
        #expect(targets[0]["__meta_ec2_region"] == "us-east-2")
        let assume = try #require(server.requests.first)
        let body = String(decoding: assume.body, as: UTF8.self)
        #expect(body.hasPrefix("Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fx&RoleSessionName=apus-"))
        #expect(body.hasSuffix("&ExternalId=e1"))
        #expect(assume.headers["authorization"]?.contains("Credential=ENV/") == true)
        #expect(server.requests.last?.headers["authorization"]?.contains("Credential=ASIA/") == true)
        #expect(server.requests.last?.headers["x-amz-security-token"] == "session")
    }

    @Test("the instance's own role and region are asked for where nothing else tells them")
    func instanceMetadata() async throws {
        let server = try server()
        let metadata = try LoopbackServer { request in
            switch (request.method, request.target) {
            case ("PUT", "/latest/api/token"): .text("TOKEN")
            case (_, _) where request.headers["x-aws-ec2-metadata-token"] != "TOKEN": .text("", status: 401)
            case (_, "/latest/meta-data/placement/region"): .text("ap-south-1")
            case (_, "/latest/meta-data/iam/security-credentials/"): .text("my-role\n")
            case (_, "/latest/meta-data/iam/security-credentials/my-role"):
                .text("{\"Code\":\"Success\",\"AccessKeyId\":\"IMDS\",\"SecretAccessKey\":\"s\",\"Token\":\"t\",\"Expiration\":\"2126-01-01T00:00:00Z\"}")
            default: .text("", status: 404)
            }
        }
        let folder = try ScratchFolder()
        let url = metadata.url
        let targets = try await DiscoveryBench.targets(
            "ec2_sd_configs: [{endpoint: '\(server.url)'}]", environment: ["HOME": folder.path]
        ) { $0.instanceMetadataURL = url }
        #expect(targets[0]["__meta_ec2_region"] == "ap-south-1")
        #expect(server.requests.last?.headers["authorization"]?.contains("Credential=IMDS/") == true)
    }

    @Test("a profile of the shared files")
    func profile() async throws {
        let folder = try ScratchFolder()
        try "[default]\naws_access_key_id = D\naws_secret_access_key = S\n\n[work]\naws_access_key_id=W\naws_secret_access_key=T\n"
            .write(toFile: folder.path + "/credentials", atomically: true, encoding: .utf8)
        try "# c\n[profile work]\nregion = sa-east-1\n".write(toFile: folder.path + "/config", atomically: true, encoding: .utf8)
        let path = folder.path
        try await withTransport { transport async throws in
            let context = DiscoveryContext(
                transport: transport, logger: .init(label: "test"),
                environment: ["AWS_SHARED_CREDENTIALS_FILE": path + "/credentials", "AWS_CONFIG_FILE": path + "/config"])
            #expect(try await AWSCredentialChain(context: context, profile: "").credentials().accessKey == "D")
            let work = AWSCredentialChain(context: context, profile: "work")
            #expect(try await work.credentials().accessKey == "W")
            #expect(try await work.region() == "sa-east-1")
            await #expect(throws: DiscoveryError.self) { try await AWSCredentialChain(context: context, profile: "no").credentials() }
        }
    }

    @Test("AWS' refusal is told")
    func refused() async throws {
        let server = try LoopbackServer { _ in
            .text("<Response><Errors><Error><Code>AuthFailure</Code><Message>not able to validate</Message></Error></Errors></Response>", status: 401)
        }
        try await DiscoveryBench.run("ec2_sd_configs: [{endpoint: '\(server.url)', region: r, access_key: a, secret_key: b}]") { manager in
            try await until { manager.statuses().first?.lastError != nil }
            let error = manager.statuses().first?.lastError ?? ""
            #expect(error.contains("DescribeInstances: HTTP status 401"), "\(error)")
            #expect(error.contains("AuthFailure: not able to validate"), "\(error)")
        }
    }

    @Test("XML that is damaged is an error with its place", arguments: ["<a>", "<a></b>", "</a>", "<!DOCTYPE a><a/>", "", "<a", "<a>" + String(repeating: "<b>", count: 200)])
    func damaged(text: String) {
        #expect(throws: DiscoveryError.self) { try XMLElement(parsing: Array(text.utf8)) }
    }

    @Test("entities, comments, CDATA and empty elements of XML are read")
    func xml() throws {
        let text = "<?xml version=\"1.0\"?><!-- c --><r a='1'><x>&lt;&#65;&#x42;&amp;&no;</x><y/><z><![CDATA[<&>]]></z></r>"
        let root = try XMLElement(parsing: Array(text.utf8))
        #expect(root.value("x") == "<AB&&no;")
        #expect(root["y"] != nil)
        #expect(root.value("y") == nil)
        #expect(root.value("z") == "<&>")
    }
}
