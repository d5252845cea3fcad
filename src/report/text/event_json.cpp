#include "report/text/event_json.hpp"

#include <cmath>

#include "base/json.hpp"
#include "report/text/progress_text.hpp"
#include "report/text/timestamp.hpp"

namespace pgsluice::report {

namespace {

using base::Json;

/// Rounded to microseconds, so that 0.1 + 0.2 reads 0.3. A value that is not finite is written as null.
double rounded(double value) {
  return std::isfinite(value) ? std::round(value * 1e6) / 1e6 : value;
}

double seconds(std::chrono::milliseconds duration) {
  return static_cast<double>(duration.count()) / 1e3;
}

/// For an expected number, where 0 means not known.
Json or_null(std::int64_t expected) {
  return expected > 0 ? Json(expected) : Json(nullptr);
}

void add_rows(Json& json, const RowCounts& rows) {
  json["rows_changed"] = rows.changed;
  json["rows_already_right"] = rows.already_right;
  json["rows_quarantined"] = rows.quarantined;
  json["rows_unchanged"] = rows.unchanged;
}

Json signal_json(const SignalView& signal) {
  return {{"name", signal.name},
          {"value", signal.known ? Json(rounded(signal.value)) : Json(nullptr)},
          {"limit", rounded(signal.limit)},
          {"unit", signal.unit},
          {"known", signal.known},
          {"reason", signal.reason}};
}

struct Fields {
  Json operator()(const event::RunStarted& e) const {
    return {
        {"version", e.version}, {"host", e.host}, {"pid", e.pid}, {"resumed", e.resumed}, {"lanes", e.lanes}};
  }
  Json operator()(const event::StepStarted& e) const {
    return {{"step", e.step},
            {"kind", e.kind},
            {"resumed", e.resumed},
            {"rows_expected", or_null(e.rows_expected)}};
  }
  Json operator()(const event::StepEnded& e) const {
    Json json{{"step", e.step}, {"kind", e.kind}, {"outcome", e.outcome}};
    add_rows(json, e.rows);
    json["duration_s"] = rounded(e.duration_s);
    return json;
  }
  Json operator()(const event::Statement& e) const {
    return {{"step", e.step}, {"sql", e.sql}, {"lock", e.lock}};
  }
  Json operator()(const event::Batch& e) const {
    Json json{{"range_id", e.range_id},
              {"lane", e.lane},
              {"rows_changed", e.rows_changed},
              {"rows_visited", e.rows_visited},
              {"duration_s", rounded(e.duration_s)},
              {"attempt", e.attempt}};
    if (e.rows_hot >= 0) json["rows_hot"] = e.rows_hot;
    if (e.wal_bytes >= 0) json["wal_bytes"] = e.wal_bytes;
    return json;
  }
  Json operator()(const event::BatchFailed& e) const {
    return {{"range_id", e.range_id},
            {"lane", e.lane},
            {"sqlstate", e.sqlstate},
            {"message", e.message},
            {"attempt", e.attempt},
            {"action", e.action},
            {"backoff_s", rounded(e.backoff_s)}};
  }
  Json operator()(const event::Split& e) const {
    return {{"range_id", e.range_id}, {"new_range_id", e.new_range_id}, {"at", e.at}};
  }
  Json operator()(const event::Lease& e) const {
    return {{"range_id", e.range_id}, {"lane", e.lane}, {"epoch", e.epoch}, {"taken_over", e.taken_over}};
  }
  Json operator()(const event::Throttle& e) const {
    return {{"state", e.state},
            {"signal", e.signal},
            {"value", rounded(e.value)},
            {"limit", rounded(e.limit)},
            {"unit", e.unit},
            {"pace", rounded(e.pace)},
            {"reason", e.reason},
            {"held_s", rounded(e.held_s)}};
  }
  Json operator()(const event::Tune& e) const {
    return {{"field", e.field}, {"from", e.from}, {"to", e.to}, {"cause", e.cause}};
  }
  Json operator()(const event::Command& e) const {
    return {{"actor", e.actor}, {"verb", e.verb}, {"arguments", e.arguments}, {"reason", e.reason}};
  }
  Json operator()(const event::State& e) const {
    return {{"from", e.from}, {"to", e.to}, {"reason", e.reason}};
  }
  Json operator()(const event::Verify& e) const {
    return {{"step", e.step}, {"expected", e.expected}, {"actual", e.actual}, {"matches", e.matches}};
  }
  Json operator()(const event::Hook& e) const {
    return {{"hook", e.hook},
            {"command", e.command},
            {"exit_code", e.exit_code < 0 ? Json(nullptr) : Json(e.exit_code)},
            {"ended", e.ended},
            {"duration_s", rounded(e.duration_s)},
            {"output", e.output}};
  }
  Json operator()(const event::Warning& e) const { return {{"message", e.message}, {"hint", e.hint}}; }
  Json operator()(const event::Status& e) const { return progress(e.progress); }
  Json operator()(const event::Summary& e) const;

  static Json progress(const Progress& p);
};

Json Fields::progress(const Progress& p) {
  Json json{{"step", p.step},
            {"kind", p.step_kind},
            {"step_number", p.step_number},
            {"step_count", p.step_count},
            {"state", name_of(p.state)}};
  add_rows(json, p.rows);
  const auto percent = percent_done(p);
  json["rows_expected"] = or_null(p.rows_expected);
  json["percent"] = percent ? Json(*percent) : Json(nullptr);
  json["rows_per_second"] = rounded(p.rows_per_second);
  json["batch_rows"] = p.batch_rows;
  json["batch_time_s"] = seconds(p.batch_time);
  json["lanes"] = p.lanes;
  json["lanes_busy"] = p.lanes_busy;
  json["ranges_left"] = p.ranges_left;
  json["pace"] = rounded(p.pace);
  json["hold_reason"] = p.hold_reason;
  json["signals"] = Json::array();
  for (const auto& signal : p.signals) json["signals"].push_back(signal_json(signal));
  if (p.behind) {
    json["entries_behind"] = p.behind->entries;
    json["behind_s"] = p.behind->age_s < 0 ? Json(nullptr) : Json(rounded(p.behind->age_s));
  }
  json["eta_s"] = p.eta ? Json(p.eta->count()) : Json(nullptr);
  json["elapsed_s"] = seconds(p.elapsed);
  return json;
}

Json Fields::operator()(const event::Summary& e) const {
  Json json{{"outcome", e.outcome}, {"exit_code", e.exit_code}, {"reason", e.reason}, {"hint", e.hint}};
  add_rows(json, e.rows);
  json["batches"] = e.batches;
  json["retries"] = e.retries;
  json["splits"] = e.splits;
  json["duration_s"] = rounded(e.duration_s);
  json["held_s"] = rounded(e.held_s);
  json["batch_p50_s"] = rounded(e.batch_p50_s);
  json["batch_p95_s"] = rounded(e.batch_p95_s);
  json["batch_p99_s"] = rounded(e.batch_p99_s);
  json["batch_max_s"] = rounded(e.batch_max_s);
  json["lag_max_s"] = e.lag_max_s < 0 ? Json(nullptr) : Json(rounded(e.lag_max_s));
  json["hot_percent"] = e.hot_percent < 0 ? Json(nullptr) : Json(rounded(e.hot_percent));
  json["wal_bytes_per_row"] = e.wal_bytes_per_row < 0 ? Json(nullptr) : Json(rounded(e.wal_bytes_per_row));
  json["rows_per_second"] = rounded(e.rows_per_second);
  json["events_dropped"] = e.events_dropped;
  json["next"] = e.next;
  return json;
}

void replace_zero_bytes(Json& fields) {
  for (auto& value : fields) {
    if (!value.is_string()) continue;
    auto& text = value.get_ref<std::string&>();
    for (auto at = text.find('\0'); at != std::string::npos; at = text.find('\0', at))
      text.replace(at, 1, "\uFFFD");
  }
}

Json fields_of(const EventBody& body) {
  Json json = std::visit(Fields{}, body);
  replace_zero_bytes(json);
  return json;
}

std::string written(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string event_fields_json(const EventBody& body) {
  return written(fields_of(body));
}

std::string event_line_json(const Event& event, std::int64_t seq) {
  Json line{{"schema", kJsonSchema},          {"ts", timestamp_milliseconds(event.at)},
            {"type", event_type(event.body)}, {"job", event.job},
            {"run_id", event.run_id},         {"seq", seq}};
  line.update(fields_of(event.body));
  return written(line);
}

}  // namespace pgsluice::report
