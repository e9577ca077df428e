import Configuration
import Files
import FoundationEssentials
import Reporting

/// Assembles the page.
struct ReportPage {
  let run: RunRecord
  let curves: [Curve]
  /// Marks the page's own script and style; nothing else is executed, and nothing is loaded.
  private let nonce = String(UInt64.random(in: .min ... .max), radix: 16)

  private var name: String { lastPart(ofPath: standardisedPath(run.folder.path)) }

  var html: HTML {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'nonce-\(nonce)'; \
    script-src 'nonce-\(nonce)'; base-uri 'none'; form-action 'none'">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>\(name) – ddpm-mpi</title>
    <style nonce="\(nonce)">\(verbatim: String(decoding: PackageResources.report_css, as: UTF8.self))</style>
    <script nonce="\(nonce)">\(verbatim: String(decoding: PackageResources.report_js, as: UTF8.self))</script>
    </head>
    <body>
    <header><h1>\(name)</h1><p>\(state)</p></header>
    <main>
    \(notes)\(facts)\(curveSection)\(run.evaluation?.html ?? "")\(sampleSection)\(sessionSection)\(ConfigurationSection(run.configuration).html)
    </main>
    <footer>Written \(Self.text(Date())) by ddpm-mpi \(ProgramVersion.current).</footer>
    </body>
    </html>

    """
  }

  /// The progress of the run, in a sentence.
  private var state: String {
    guard let session = run.sessions.last else { return "Step \(progress) is the last in the log." }
    let ending = session.ending(isNewest: true)
    let sentence = ending.prefix(1).uppercased() + ending.dropFirst() + "."
    return session.last.event == .done ? sentence : "Step \(progress). \(sentence)"
  }

  /// The steps done, `200 of 1,000`.
  private var progress: String {
    "\(ProgressFormat.count(run.metrics.lastStep)) of \(ProgressFormat.count(run.configuration.training.steps))"
  }

  private var notes: HTML {
    if run.omissions.isEmpty { return "" }
    let items = run.omissions.map { omission -> HTML in "<li>\(omission)</li>" }
    return "<section class=\"notes\"><h2>Left out</h2><ul>\(HTML.joined(items))</ul></section>\n"
  }

  private var facts: HTML {
    var items: [HTML] = []
    func add(_ name: String, _ value: String?) {
      if let value { items.append("<div><dt>\(name)</dt><dd>\(value)</dd></div>") }
    }
    let images = run.metrics.series(named: "images")?.last.value.flatMap { Int(exactly: $0.rounded()) }
    let seconds = run.metrics.seconds
    let job = run.sessions.last?.start.job
    let checkpoints = run.checkpointSteps.map(ProgressFormat.count).joined(separator: ", ")
    add("Steps", progress)
    add(run.noun == "field" ? "Fields seen" : "Images seen", images.map(ProgressFormat.count))
    add("First start", run.sessions.first.map { Self.text($0.start.time) })
    add("Last line of the log", run.lastSign.map(Self.text))
    add("Time in training", seconds > 0 ? ProgressFormat.duration(seconds: seconds) : nil)
    add("Ranks", job.map(Self.text))
    add("Network", job.map { "\(ProgressFormat.count($0.parameters)) parameters" })
    let data = job.map { "\($0.data), \(ProgressFormat.count($0.images)) \(run.noun)s" }
    add("Data", data ?? run.configuration.data.name)
    add("Version", job?.version)
    add("Starts", run.sessions.isEmpty ? "not known" : "\(run.sessions.count)")
    add("Checkpoints kept", checkpoints.isEmpty ? "none yet" : "step \(checkpoints)")
    return "<section><h2>Facts</h2><dl>\(HTML.joined(items))</dl></section>\n"
  }

  private var curveSection: HTML {
    if curves.isEmpty { return "<section><h2>Curves</h2><p>No step has been logged yet.</p></section>\n" }
    let steps = Axis.steps(upTo: run.metrics.lastStep)
    let restarts = run.restartSteps.filter { (0...run.metrics.lastStep).contains($0) }
    let figures = curves.map { CurveFigure(curve: $0, steps: steps, restartSteps: restarts).html }
    let legend: HTML =
      restarts.isEmpty
      ? ""
      : """
      <p class="legend"><svg width="10" height="16" aria-hidden="true"><line class="restart" x1="5" x2="5" y1="0" \
      y2="16"/></svg> resumed after step \(restarts.map(ProgressFormat.count).joined(separator: ", "))</p>
      """
    let thinned: HTML =
      curves.contains { $0.points.count < $0.pointCount }
      ? "<p class=\"legend\">Long curves are drawn by the minimum and maximum of each of up to \(Series.stretchLimit) stretches.</p>"
      : ""
    return """
      <section id="curves"><h2>Curves</h2>\(legend)\(thinned)
      <div class="curves">
      \(HTML.joined(figures))</div></section>

      """
  }

  private var sampleSection: HTML {
    guard let newest = run.sheets.last else {
      return "<section><h2>Samples</h2><p>No samples have been drawn yet.</p></section>\n"
    }
    let images = run.sheets.enumerated().map { index, sheet -> HTML in
      """
      <li><button type="button" data-index="\(index)"><img alt="Samples drawn after step \(sheet.step)" \
      width="\(sheet.width)" height="\(sheet.height)" src="data:image/png;base64,\
      \(Data(sheet.png).base64EncodedString())"><span>step \(ProgressFormat.count(sheet.step))</span></button></li>

      """
    }
    let slider: HTML =
      run.sheets.count < 2
      ? ""
      : """
      <label class="slider">Step <input type="range" min="0" max="\(run.sheets.count - 1)" \
      value="\(run.sheets.count - 1)" autocomplete="off" aria-label="Sheet of samples by step"></label>
      """
    return """
      <section id="samples"><h2>Samples</h2>
      <figure class="sheet" hidden><img alt="" width="\(newest.width)" height="\(newest.height)">\
      <figcaption>\(slider)<output></output></figcaption></figure>
      <ol class="strip">
      \(HTML.joined(images))</ol></section>

      """
  }

  private var sessionSection: HTML {
    if run.sessions.isEmpty { return "" }
    let rows = run.sessions.enumerated().map { index, session -> HTML in
      let isNewest = index == run.sessions.count - 1
      let ranks = session.start.job.map(Self.text) ?? "not known"
      let differences = HTML.joined(session.differences.map { "<br>\($0)" })
      let reached = isNewest ? max(run.metrics.lastStep, session.last.step) : session.last.step
      return """
        <tr><td>\(index + 1)</td><td>\(Self.text(session.start.time))</td>\
        <td>\(session.isResumed ? "resumed after step" : "started at step") \
        \(ProgressFormat.count(session.firstStep))\(differences)</td><td>\(ProgressFormat.count(reached))</td><td>\(ranks)</td>\
        <td>\(session.checkpointCount)</td><td>\(session.ending(isNewest: isNewest))</td></tr>

        """
    }
    return """
      <section id="starts"><h2>Starts</h2><div class="scroll"><table>
      <thead><tr><th>#</th><th>Time</th><th>From</th><th>Known to have reached</th><th>Ranks</th><th>Checkpoints</th>\
      <th>End</th></tr></thead>
      <tbody>
      \(HTML.joined(rows))</tbody></table></div></section>

      """
  }

  /// `2026-01-31 12:00:00 UTC`.
  private static func text(_ time: Date) -> String {
    let style = Date.ISO8601FormatStyle(dateTimeSeparator: .space)
    return time.formatted(style).replacing("Z", with: " UTC")
  }

  /// `2 x 1 thread on 1 host`.
  private static func text(_ job: JournalEntry.Job) -> String {
    "\(job.ranks) x \(ProgressFormat.count(job.threadsPerRank, of: "thread")) on "
      + ProgressFormat.count(job.hosts, of: "host")
  }
}
