#include "compare/application.hpp"

#include <algorithm>
#include <iostream>
#include <stdexcept>
#include <thread>

#include "compare/trial.hpp"
#include "measure/latencies.hpp"

namespace pgsluice::bench {
namespace {

constexpr int kClients = 16;              // more than can be at work: a queue builds up in front of none
constexpr std::chrono::seconds kLead{2};  // connections and caches are warm then
constexpr std::chrono::seconds kWatch{10};

// What was due and not served catches up afterwards, with up to twice the rate: seen by the logins of a look.
constexpr std::chrono::milliseconds kLook{250};
constexpr double kCatchingUp = 1.3;  // of the rate; at 100 a second chance alone gives more once in 10 looks
constexpr int kCalmLooks = 3;
constexpr std::chrono::minutes kPatience{10};

constexpr const char* kScript = R"(\set id random(1, :rows)
BEGIN;
SELECT name, plan FROM users WHERE id = :id;
UPDATE users SET plan = (plan + 1) % 7 WHERE id = :id;
INSERT INTO logins (user_id) VALUES (:id);
COMMIT;
)";

test::Traffic traffic(const std::string& dsn, std::int64_t rows, double per_s) {
  test::Traffic wanted;
  wanted.dsn = dsn;
  wanted.script = kScript;
  wanted.clients = kClients;
  wanted.rate = per_s;
  wanted.duration = std::chrono::hours{1};
  wanted.variables["rows"] = std::to_string(rows);
  return wanted;
}

}  // namespace

const char* const kApplicationTables =
    "CREATE TABLE logins (id bigserial PRIMARY KEY, user_id bigint, at timestamptz DEFAULT now());";

Application::Application(const std::string& dsn, std::int64_t rows, double per_s)
    : db_(dsn), per_s_(per_s), traffic_(traffic(dsn, rows, per_s)) {
  std::this_thread::sleep_for(kLead);
}

void Application::begin() {
  began_ = std::chrono::system_clock::now();
}

Noticed Application::end() {
  const auto ended = std::chrono::system_clock::now();
  await_drained();
  const auto result = traffic_.stop();
  const bool has_given_up = result.exit.code != 0;
  if (has_given_up) std::cerr << result.report;
  Latencies latencies;
  latencies.add(result.served, began_, ended);
  return {latencies.at_share(0.5), latencies.p99(), latencies.longest(),
          static_cast<double>(latencies.count()),
          static_cast<double>(result.failed) + (has_given_up ? 1 : 0)};
}

/// Without this the worst served transactions would be left out, and those never sent.
void Application::await_drained() {
  const auto began = std::chrono::steady_clock::now();
  const double calm = kCatchingUp * per_s_ * std::chrono::duration<double>(kLook).count();
  auto logins = db_.number("SELECT last_value FROM logins_id_seq");
  for (int calm_looks = 0; calm_looks < kCalmLooks;) {
    if (std::chrono::steady_clock::now() - began > kPatience)
      throw std::runtime_error("the application does not catch up");
    std::this_thread::sleep_for(kLook);
    const auto now = db_.number("SELECT last_value FROM logins_id_seq");
    calm_looks = static_cast<double>(now - logins) <= calm ? calm_looks + 1 : 0;
    logins = now;
  }
}

double capacity(BenchServer& server, std::int64_t rows, std::chrono::seconds span) {
  auto trial = server.trial(kTemplate);
  test::Pgbench traffic_alone(traffic(trial.dsn(), rows, 0));
  std::this_thread::sleep_for(kLead);
  const auto began = std::chrono::system_clock::now();
  std::this_thread::sleep_for(span);
  const auto ended = std::chrono::system_clock::now();
  const auto result = traffic_alone.stop();
  const auto served = std::count_if(result.served.begin(), result.served.end(), [&](const test::Served& one) {
    return one.ended >= began && one.ended <= ended;
  });
  return static_cast<double>(served) / std::chrono::duration<double>(ended - began).count();
}

void watch_alone() {
  std::this_thread::sleep_for(kWatch);
}

}  // namespace pgsluice::bench
