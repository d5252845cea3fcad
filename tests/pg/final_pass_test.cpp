// When a walk over blocks is complete: the story of whole runs is in blocks_test.cpp, what two lanes could do
// to each other is here.
#include "engine/final_pass.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>

#include "pg/counted_range.hpp"
#include "support/shared_server.hpp"

namespace pgsluice::test {
namespace {

struct NoSink : EventSink {
  void publish(Event) override {}
};

/// Asks as a run does.
class Asking {
 public:
  explicit Asking(const CountedRange& trial)
      : step_(trial.prepared()), connection_(pg::ConnectionTarget(trial.dsn()), "pgsluice test") {}

  engine::Found found() {
    io_.restart();
    std::exception_ptr error;
    boost::asio::co_spawn(io_, ask(), [&error](std::exception_ptr e) { error = e; });
    io_.run();
    if (error) std::rethrow_exception(error);
    return found_.value();
  }

 private:
  boost::asio::awaitable<void> ask() {
    const engine::LookSurroundings at{job_, gate_, journal_, stop_};
    const engine::Looks before;
    const auto complete = co_await engine::completeness(connection_, step_, before, at);
    found_ = complete.found;
  }

  const engine::PreparedBackfill& step_;
  boost::asio::io_context io_;
  Job job_;
  engine::Gate gate_;
  NoSink sink_;
  engine::Journal journal_{sink_, "count", "run"};
  engine::Stop stop_;
  std::optional<engine::Found> found_;
  pg::Connection connection_;
};

TEST(FinalPass, IsNotOverWhileRangesThatAnotherLaneHasJustCutAreNotDone) {
  CountedRange trial(fresh_database());
  Asking asking(trial);
  trial.db().exec(
      "UPDATE pgsluice.range SET walk = 'blocks', is_done = true;"
      "INSERT INTO pgsluice.range (step_id, lower, upper, walk) SELECT step_id, '{7}', '{8}', 'final' FROM "
      "pgsluice.step");
  EXPECT_EQ(asking.found(), engine::Found::kGoOn);
  trial.db().exec("UPDATE pgsluice.range SET is_done = true");
  EXPECT_EQ(asking.found(), engine::Found::kNothing);
}

}  // namespace
}  // namespace pgsluice::test
