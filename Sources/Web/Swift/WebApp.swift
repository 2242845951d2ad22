/// What the rest of Apus has to know of the web app: where its files lie in a checkout, and which of them are fetched.
///
/// The app itself is `Sources/Web/app`: plain ES modules that are served as they lie, without a build step.
package enum WebApp {
    /// The app's folder below the root of a checkout; `app/` and `vendor/` lie in it.
    package static let folder = "Sources/Web"

    /// The libraries that `scripts/fetch-web.sh` puts into `vendor/`. Without one of them the page stays blank, so a server
    /// that misses one says so instead.
    package static let vendorFiles = [
        "vue.js", "echarts.js", "gridstack.js", "gridstack.css", "codemirror/index.js", "codemirror/index-ciMdZ5pn.js",
    ]

    /// What to do where a file of ``vendorFiles`` is missing.
    package static let remedy = "run scripts/fetch-web.sh in the checkout: it fetches the web app's libraries from PyPI, pinned by SHA-256"
}
