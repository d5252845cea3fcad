// bench_json: one document, for programs.
#include "base/json.hpp"
#include "report/bench/bench_columns.hpp"

namespace pgsluice {
namespace {

using base::Json;

Json spread_json(const Spread& s) {
  if (!s.is_known()) return nullptr;
  return {{"median", s.median}, {"min", s.min}, {"max", s.max}, {"count", s.count}};
}

Json setting_json(const BenchSetting& setting) {
  return {{"walk", walk_name(setting.walk)}, {"lanes", setting.lanes}, {"rows", setting.rows}};
}

Json figures_json(const BenchFigures& f) {
  Json json = setting_json(f.setting);
  json["trials"] = f.trials;
  for (const auto& column : report::kBenchColumns) json[column.name] = spread_json(f.*column.figure);
  json["remarks"] = f.remarks;
  return json;
}

}  // namespace

std::string bench_json(const BenchReport& report) {
  Json figures = Json::array();
  for (const auto& f : report.figures) figures.push_back(figures_json(f));
  Json json = {{"type", "bench"},
               {"job", report.job},
               {"step", report.step},
               {"table", report.table},
               {"target", report.target},
               {"server_version", report.server_version},
               {"on_copy", report.on_copy},
               {"table_rows", report.table_rows},
               {"table_bytes", report.table_bytes},
               {"copy_rows", report.copy_rows},
               {"seed", report.seed},
               {"batch_target_ms", report.batch_target_ms},
               {"trial_s", report.trial_s},
               {"elapsed_s", report.elapsed_s},
               {"trials_planned", report.trials_planned},
               {"trials_done", report.trials_done},
               {"others_rate", report.others_rate},
               {"others_alone_p50_ms", spread_json(report.others_alone_p50_ms)},
               {"others_alone_p99_ms", spread_json(report.others_alone_p99_ms)},
               {"figures", figures}};
  json["winner"] = report.winner ? setting_json(report.figures.at(*report.winner).setting) : Json(nullptr);
  json["verdict"] = report.verdict;
  json["advice"] = report.advice;
  json["methods"] = report.methods;
  json["notes"] = report.notes;
  json["left_out"] = report.left_out;
  json["ended_early"] = report.ended_early;
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace pgsluice
