import Gateway
import NIOCore
import Storage

extension RouteTable {
  var metricsRoutes: [Route] {
    [
      Route(.get, "/metrics", scope: .read) { call in
        let form = MetricsText.Form(accept: call.headers[.accept])
        let figures = gateway.figures
        let requests = meter.figures
        let effects = gateway.effectFigures
        let text = try await gateway.queries.fetch { reader in
          var text = MetricsText(form: form)
          text.addProcess(ProcessFigures())
          text.addIngest(figures)
          text.addSparkplug(figures)
          text.addStore(figures, rows: try RowFigures(reader), disk: try reader.diskUse())
          text.addEffects(effects, now: .now)
          text.addRequests(requests)
          return text.finish()
        }
        return Reply(contentType: form.contentType, buffer: ByteBuffer(string: text))
      }
    ]
  }
}

extension MetricsText {
  fileprivate mutating func addProcess(_ process: ProcessFigures) {
    counter("process_cpu_seconds", "User and system CPU time.", [([], process.cpuSeconds)])
    gauge("process_resident_memory_bytes", "Resident memory.", Double(process.residentBytes))
    gauge("process_virtual_memory_bytes", "Virtual memory.", Double(process.virtualBytes))
    gauge("process_open_fds", "Open file descriptors.", Double(process.openDescriptors))
    gauge("process_threads", "Threads.", Double(process.threads))
    gauge("process_start_time_seconds", "Start, seconds since 1970.", process.startSeconds)
  }

  fileprivate mutating func addIngest(_ figures: IngestFigures) {
    let states: [IngestFigures.Broker] = [
      .notConfigured, .connecting, .connected, .disconnected, .refused,
    ]
    gauge(
      "millwright_broker_state", "1 for the state of the telemetry connection.",
      states.map { ([("state", $0.rawValue)], $0 == figures.broker ? 1 : 0) })
    counter("millwright_broker_connects", "Connections made to the broker.", figures.connects)
    counter("millwright_broker_disconnects", "Connections lost.", figures.disconnects)
    counter("millwright_messages", "MQTT messages received.", figures.messages)
    counter("millwright_message_bytes", "Payload bytes received over MQTT.", figures.messageBytes)
    counter("millwright_redeliveries", "Messages recognised as redelivered.", figures.redeliveries)
    counter("millwright_ignored_messages", "Messages ignored by a route.", figures.ignoredMessages)
    counter("millwright_submissions", "Submissions over HTTP.", figures.submissions)
    counter("millwright_samples", "Samples decoded.", figures.samples)
    counter("millwright_refused_fields", "Fields that were refused.", figures.refusedFields)
    counter("millwright_quarantined", "Payloads put into the quarantine.", figures.quarantined)
    counter("millwright_out_of_range", "Samples outside their range.", figures.outOfRange)
    counter(
      "millwright_replaced_times", "Samples whose source time was not plausible.",
      figures.replacedTimes)
    counter("millwright_retained_skips", "Retained messages left out.", figures.retainedSkips)
    counter("millwright_unknown_units", "Values kept in a unit not known.", figures.unknownUnits)
    counter("millwright_events", "Events stored.", figures.events)
    counter("millwright_duplicate_events", "Events known already.", figures.duplicateEvents)
    counter("millwright_commits", "Journal records made durable.", figures.commits)
    counter("millwright_commit_failures", "Commits that failed.", figures.commitFailures)
    histogram(
      "millwright_commit_latency_seconds",
      "From the first read of a batch until its acknowledgements may go.",
      [([], figures.commitLatency)])
    histogram("millwright_batch_size", "Deliveries in a batch.", [([], figures.batchSize)])
    gauge(
      "millwright_last_commit_timestamp_seconds", "Time of the last commit.",
      Double(figures.lastCommit.microseconds) / 1e6)
    gauge(
      "millwright_can_ingest", "1 while batches can be made durable.",
      figures.storageProblem.isEmpty ? 1 : 0)
    gauge(
      "millwright_clock_synchronized", "1 while NTP or PTP keeps the clock.",
      figures.clockQuality == .synchronized ? 1 : 0)
    counter("millwright_clock_steps", "Times the wall clock was found moved.", figures.clockSteps)
  }

  fileprivate mutating func addSparkplug(_ figures: IngestFigures) {
    let counters = figures.sparkplug
    gauge(
      "millwright_sparkplug_nodes", "Sparkplug edge nodes by state.",
      [
        ([("state", "online")], Double(figures.sparkplugNodesOnline)),
        ([("state", "offline")], Double(figures.sparkplugNodes - figures.sparkplugNodesOnline)),
      ])
    gauge(
      "millwright_sparkplug_held_messages", "Messages that wait for one before them.",
      Double(figures.sparkplugHeld))
    counter("millwright_sparkplug_births", "Births of nodes and devices.", counters.births)
    counter("millwright_sparkplug_deaths", "Deaths of nodes and devices.", counters.deaths)
    counter(
      "millwright_sparkplug_missed_messages", "Messages that never came.", counters.missedMessages)
    counter(
      "millwright_sparkplug_late_messages", "Messages behind their turn.", counters.lateMessages)
    counter(
      "millwright_sparkplug_rebirth_requests", "Nodes asked for a rebirth.",
      counters.rebirthRequests)
    counter(
      "millwright_transient_metrics", "Metrics their source asked not to store.", figures.transient)
    counter("millwright_blobs", "Values without a form, kept as events.", figures.blobs)
    counter("millwright_stale_devices", "Devices that were reported gone.", figures.wentStale)
  }

  fileprivate mutating func addStore(_ figures: IngestFigures, rows: RowFigures, disk: DiskUse) {
    let store = figures.store
    gauge("millwright_devices", "Devices known.", Double(figures.devices))
    gauge("millwright_series", "Series known.", Double(figures.series))
    gauge("millwright_words", "Words in the dictionary.", Double(figures.words))
    counter(
      "millwright_stored_samples", "Samples by what the store made of them.",
      [
        ([("verdict", "stored")], Double(store.storedSamples)),
        ([("verdict", "late")], Double(store.lateSamples)),
        ([("verdict", "duplicate")], Double(store.duplicateSamples)),
        ([("verdict", "corrected")], Double(store.correctedSamples)),
      ])
    counter("millwright_sealed_samples", "Samples sealed into chunks.", store.sealedSamples)
    counter("millwright_sealed_bytes", "Bytes of sealed chunks.", store.sealedBytes)
    counter("millwright_flushes", "Transactions that moved rows to SQLite.", store.flushes)
    gauge("millwright_open_chunk_bytes", "Memory of open chunks.", Double(store.openBytes))
    gauge("millwright_chunks", "Sealed chunks.", Double(rows.chunkRows))
    gauge("millwright_event_rows", "Events in the log.", Double(rows.eventRows))
    gauge("millwright_quarantine_rows", "Payloads in the quarantine.", Double(rows.quarantineRows))
    counter(
      "millwright_journal_written_bytes", "Bytes written to the journal.", figures.journalBytes)
    gauge(
      "millwright_journal_held_bytes", "Bytes of the journal still needed.",
      Double(figures.journalHeldBytes))
    gauge(
      "millwright_disk_used_bytes", "Bytes on disk by part.",
      [
        ([("part", "database")], Double(disk.databaseBytes - disk.freeBytes)),
        ([("part", "database_free")], Double(disk.freeBytes)),
        ([("part", "wal")], Double(disk.walBytes)),
        ([("part", "journal")], Double(disk.journalBytes)),
      ])
    counter(
      "millwright_lost", "Samples, rows or records given up, by cause; see the loss ledger.",
      LossEntry.Cause.allCases.map { ([("cause", $0.rawValue)], Double(rows.lossCounts[$0] ?? 0)) })
    counter(
      "millwright_lost_bytes", "Bytes given up, by cause.",
      LossEntry.Cause.allCases.map { ([("cause", $0.rawValue)], Double(rows.lossBytes[$0] ?? 0)) })
    gauge("millwright_replay_duration_seconds", "Replay at the last start.", figures.replaySeconds)
  }

  fileprivate mutating func addRequests(_ requests: RequestMeter.Figures) {
    gauge(
      "millwright_http_requests_in_flight", "Requests being answered.", Double(requests.inFlight))
    counter(
      "millwright_http_requests", "Requests answered.",
      requests.counts.sorted { $0.key < $1.key }.map { key, count in
        (
          [("method", key.method), ("route", key.route), ("status", String(key.status))],
          Double(count)
        )
      })
    histogram(
      "millwright_http_request_duration_seconds", "Until the answer began.",
      requests.durations.sorted { $0.key < $1.key }.map { ([("route", $0.key)], $0.value) })
  }
}
