#include "compare/section.hpp"

#include <algorithm>

#include "measure/markdown.hpp"

namespace pgsluice::bench {
namespace {

using Row = std::vector<std::string>;

constexpr std::size_t kColumns = 13;
constexpr std::size_t kTrafficColumns = 11;

std::string thousands_per_s(const CaseResult& result, const std::string& arm) {
  return number_text(result.figures(arm, &TrialFigures::rows_per_s).median() / 1000, 0);
}

Row cost_header() {
  return {"",
          "seconds",
          "speed, to the UPDATE",
          "1,000 rows/s",
          "WAL MB",
          "WAL B/row",
          "WAL, to the UPDATE",
          "HOT %",
          "heap MB",
          "indexes MB",
          "heap and indexes, to the UPDATE",
          "server's CPU s",
          "CPU, to the UPDATE"};
}

Row cost_row(const CaseResult& r, const std::string& arm) {
  const auto text = [&](CaseResult::Member member, int decimals) {
    return r.figures(arm, member).text(decimals);
  };
  return {arm,
          text(&TrialFigures::seconds, 2),
          r.speed(arm, kOneUpdate).text(2),
          thousands_per_s(r, arm),
          text(&TrialFigures::wal_mb, 0),
          text(&TrialFigures::wal_per_row, 0),
          r.ratio(arm, kOneUpdate, &TrialFigures::wal_mb).text(2),
          text(&TrialFigures::hot_percent, 0),
          text(&TrialFigures::heap_mb, 0),
          text(&TrialFigures::indexes_mb, 0),
          r.ratio(arm, kOneUpdate, &TrialFigures::size_mb).text(2),
          text(&TrialFigures::server_cpu_s, 2),
          r.ratio(arm, kOneUpdate, &TrialFigures::server_cpu_s).text(2)};
}

Row traffic_header() {
  return {"",
          "p50 ms",
          "p99 ms",
          "p99, to alone",
          "longest ms",
          "transactions",
          "failed",
          "seconds of the change",
          "1,000 rows/s",
          "speed, to no limits",
          "speed, to no traffic"};
}

Row traffic_row(const CaseResult& r, const Arm& arm) {
  const auto text = [&](CaseResult::Member member, int decimals) {
    return arm.has_traffic ? r.figures(arm.name, member).text(decimals) : std::string("–");
  };
  const bool is_change = arm.by != By::kNobody;
  return {arm.name,
          text(&TrialFigures::p50_ms, 1),
          text(&TrialFigures::p99_ms, 1),
          arm.has_traffic ? r.ratio(arm.name, kAlone, &TrialFigures::p99_ms).text(1) : "–",
          text(&TrialFigures::longest_ms, 0),
          text(&TrialFigures::served, 0),
          text(&TrialFigures::failed, 0),
          is_change ? r.figures(arm.name, &TrialFigures::seconds).text(2) : "–",
          is_change ? thousands_per_s(r, arm.name) : "–",
          r.speed(arm.name, without_limits(arm).name).text(2),
          r.speed(arm.name, without_traffic(arm).name).text(2)};
}

Row refused_row(const std::string& arm, std::size_t columns) {
  Row row(columns, "–");
  row[0] = arm;
  row[1] = "not available";
  return row;
}

std::string table_of(const Case& c, const std::vector<Arm>& arms, const CaseResult& result) {
  MarkdownTable table(c.has_traffic ? traffic_header() : cost_header());
  for (const auto& arm : arms) {
    if (!result.has(arm.name)) {
      table.add(refused_row(arm.name, c.has_traffic ? kTrafficColumns : kColumns));
    } else {
      table.add(c.has_traffic ? traffic_row(result, arm) : cost_row(result, arm.name));
    }
  }
  return table.text();
}

std::string traffic_note(double per_s) {
  return " pgbench sends " + number_text(per_s, 0) +
         " transactions a second, half of what the idle server can do: one reads a user, updates it, inserts "
         "a "
         "row "
         "elsewhere. Latency counts from the moment a transaction was due, of all that were due or at work "
         "while the change went on; what was held up is served to its end. pgbench shares the cores.";
}

/// Each once, in the order of their first, with how often.
std::vector<std::string> distinct(const std::vector<std::string>& remarks) {
  std::vector<std::string> texts;
  for (const auto& remark : remarks) {
    if (std::find(texts.begin(), texts.end(), remark) == texts.end()) texts.push_back(remark);
  }
  for (auto& text : texts) {
    const auto times = std::count(remarks.begin(), remarks.end(), text);
    if (times > 1) text += " (" + std::to_string(times) + " times)";
  }
  return texts;
}

/// Who could not do it, and which walks were taken by themselves.
std::string notes(const std::vector<Arm>& arms, const CaseResult& result) {
  std::string text;
  for (const auto& [arm, why] : result.refused()) text += "- " + arm + ": not available: " + why + "\n";
  for (const auto& arm : arms) {
    for (const auto& remark : distinct(result.remarks(arm.name)))
      text += "- " + arm.name + ": " + remark + "\n";
  }
  return text;
}

}  // namespace

std::string section(const Case& c, std::int64_t rows, const std::vector<Arm>& arms,
                    const CaseResult& result) {
  std::string text = "## " + c.name + ": " + std::to_string(rows) + " rows, " + c.title + "\n\n" +
                     table_of(c, arms, result) + "\n" + "Median (lowest to highest) of " +
                     std::to_string(result.rounds()) + (result.rounds() == 1 ? " round" : " rounds") +
                     "; ratios within a round.";
  text += " Others took " + number_text(result.others_percent, 0) + " % of the cores meanwhile.";
  if (!result.setting.empty()) text += " With " + result.setting + ".";
  if (result.per_s > 0) text += traffic_note(result.per_s);
  const auto list = notes(arms, result);
  return text + "\n" + (list.empty() ? "" : "\n") + list;
}

}  // namespace pgsluice::bench
