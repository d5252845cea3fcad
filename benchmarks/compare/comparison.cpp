#include "compare/comparison.hpp"

#include <algorithm>
#include <cmath>
#include <iostream>

#include "compare/application.hpp"
#include "measure/cores_watch.hpp"
#include "measure/not_available.hpp"

namespace pgsluice::bench {
namespace {

constexpr int kQuickShare = 5;  // of the rows
constexpr std::chrono::seconds kCapacitySpan{10};
constexpr double kTrafficShare = 0.5;  // of what the idle server can do
constexpr int kSmallestBuffersKb = 1'024;

bool is_named(const Arm& arm, const std::vector<std::string>& parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [&](const std::string& part) { return arm.name.find(part) != std::string::npos; });
}

/// Settings that follow from the table's size. Returns what was set.
std::string shrink_buffers(test::PrivateServer& server, double heap_to_buffers) {
  auto db = server.connect(kTemplate);
  const auto heap = static_cast<double>(db.number("SELECT pg_relation_size('users')"));
  const auto kb = std::max(kSmallestBuffersKb, static_cast<int>(std::lround(heap / heap_to_buffers / 1024)));
  const auto value = std::to_string(kb) + "kB";
  server.set("shared_buffers", value);
  server.restart();
  return "shared_buffers " + value;
}

void tell(const Arm& arm, const TrialFigures& f) {
  std::cerr << "  " << arm.name << ": " << number_text(f.seconds, 2) << " s, WAL " << number_text(f.wal_mb, 0)
            << " MB, HOT " << number_text(f.hot_percent, 0) << " %, " << number_text(f.size_mb, 0) << " MB";
  if (f.served > 0) std::cerr << ", p99 " << number_text(f.p99_ms, 1) << " ms";
  std::cerr << "\n";
}

class Comparison {
 public:
  Comparison(const TrialPlace& place, std::vector<Arm> arms) : place_(place), arms_(std::move(arms)) {}

  CaseResult::Round round(CaseResult& result, std::mt19937_64& random) {
    CaseResult::Round round;
    auto order = arms_;
    std::shuffle(order.begin(), order.end(), random);
    for (const auto& arm : order) {
      if (result.refused().contains(arm.name)) continue;
      try {
        const auto figures = run_trial(place_, arm);
        tell(arm, figures);
        round[arm.name] = figures;
      } catch (const NotAvailable& refusal) {
        std::cerr << "  " << arm.name << ": not available: " << refusal.what() << "\n";
        result.refuse(arm.name, refusal.what());
      }
    }
    return round;
  }

 private:
  TrialPlace place_;
  std::vector<Arm> arms_;
};

CaseResult measure(const Case& c, const CompareOptions& options, std::mt19937_64& random) {
  auto table = c.table;
  table.rows = options.table_rows(c);
  CaseResult result;
  BenchServer server(options);
  server.make_template(kTemplate, create_sql(table) + (c.has_traffic ? kApplicationTables : ""));
  if (c.heap_to_buffers > 0) result.setting = shrink_buffers(server.server(), c.heap_to_buffers);
  TrialPlace place{server, table, {}, c.snapshot_age};
  run_trial(place, by_hand(kOneUpdate));  // the first one meets new WAL segments and cold files
  if (c.has_traffic) {
    result.per_s = std::round(kTrafficShare * capacity(server, table.rows, kCapacitySpan));
    place.traffic.per_s = result.per_s;
  }
  Comparison comparison(place, wanted_arms(c, options));
  const int rounds = options.trials(c.rounds, c.quick_rounds);
  for (int i = 0; i < rounds; ++i) {
    std::cerr << c.name << ", round " << i + 1 << " of " << rounds << "\n";
    result.add(comparison.round(result, random));
  }
  return result;
}

}  // namespace

std::int64_t CompareOptions::table_rows(const Case& c) const {
  return quick ? c.table.rows / kQuickShare : c.table.rows;
}

std::vector<Arm> wanted_arms(const Case& c, const CompareOptions& options) {
  std::vector<Arm> arms = c.arms;
  if (options.arms.empty()) {
    std::erase_if(arms, [&](const Arm& arm) { return options.quick && !arm.is_quick; });
    return arms;
  }
  for (const auto& arm : all_arms()) {
    const bool is_there =
        std::any_of(arms.begin(), arms.end(), [&](const Arm& other) { return other.name == arm.name; });
    if (!is_there) arms.push_back(arm);
  }
  std::erase_if(arms, [&](const Arm& arm) { return !is_named(arm, options.arms); });
  return arms;
}

CaseResult compare(const Case& c, const CompareOptions& options, std::mt19937_64& random) {
  const CoresWatch watch;
  auto result = measure(c, options, random);
  result.others_percent = watch.others_percent();
  return result;
}

}  // namespace pgsluice::bench
