// When a walk over blocks is complete: the story of whole runs is in blocks_test.cpp, what two lanes could do
// to each other is here.
#include "lanes/ranges/final_pass.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>

#include "pg/counted_range.hpp"
#include "pgsluice/error.hpp"
#include "support/shared_server.hpp"

namespace pgsluice::test {
namespace {

struct NoSink : EventSink {
  void publish(Event) override {}
};

/// Asks as a run does.
class Asking {
 public:
  Asking(const CountedRange& trial, const engine::PreparedBackfill& step, engine::Looks before = {})
      : step_(step), before_(before), connection_(pg::ConnectionTarget(trial.dsn()), "pgsluice test") {}

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
    const engine::LookSurroundings at{tunables_, gate_, journal_, stop_};
    const auto complete = co_await engine::completeness(connection_, step_, before_, at);
    found_ = complete.found;
  }

  const engine::PreparedBackfill& step_;
  engine::Looks before_;
  boost::asio::io_context io_;
  Tunables tunables_;
  engine::Gate gate_;
  NoSink sink_;
  engine::Journal journal_{sink_, "count", "run"};
  engine::Stop stop_;
  std::optional<engine::Found> found_;
  pg::Connection connection_;
};

TEST(FinalPass, IsNotOverWhileRangesThatAnotherLaneHasJustCutAreNotDone) {
  CountedRange trial(fresh_database());
  Asking asking(trial, trial.prepared());
  trial.db().exec(
      "UPDATE pgsluice.range SET walk = 'blocks', is_done = true;"
      "INSERT INTO pgsluice.range (step_id, lower, upper, walk) SELECT step_id, '{7}', '{8}', 'final' FROM "
      "pgsluice.step");
  EXPECT_EQ(asking.found(), engine::Found::kGoOn);
  trial.db().exec("UPDATE pgsluice.range SET is_done = true");
  EXPECT_EQ(asking.found(), engine::Found::kNothing);
}

class LookThatNeverGetsThrough : public ::testing::Test {
 protected:
  static constexpr engine::Looks kOneToGo{0, 9};

  LookThatNeverGetsThrough() : trial_(fresh_database()), step_(trial_.prepared()) {
    trial_.db().exec(
        "UPDATE pgsluice.range SET walk = 'blocks', is_done = true;"
        "CREATE FUNCTION busy(int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'busy' USING ERRCODE = "
        "'40001'; END $$");
    step_.definition.where = "busy(n)";
  }

  engine::Found found(engine::Looks before) { return Asking(trial_, step_, before).found(); }

  CountedRange trial_;
  engine::PreparedBackfill step_;
};

TEST_F(LookThatNeverGetsThrough, GivesWayToTheWholeKeyInTheEnd) {
  EXPECT_EQ(found({}), engine::Found::kGivenUp);
  EXPECT_EQ(trial_.db().number("SELECT count(*) FROM pgsluice.range WHERE NOT is_done"), 0);
  EXPECT_EQ(found(kOneToGo), engine::Found::kRows);
  EXPECT_GT(trial_.db().number("SELECT count(*) FROM pgsluice.range WHERE NOT is_done AND walk = 'final'"),
            0);
  EXPECT_EQ(trial_.db().number("SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in trans%'"), 0);
}

TEST_F(LookThatNeverGetsThrough, EndsTheRunWithWorkLeftWhereThereIsNoKey) {
  step_.keyset.reset();
  EXPECT_EQ(found({}), engine::Found::kGivenUp);
  try {
    found(kOneToGo);
    FAIL() << "it is not known whether a row is left";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::kWorkLeft);
    EXPECT_NE(std::string(e.what()).find("busy"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace pgsluice::test
