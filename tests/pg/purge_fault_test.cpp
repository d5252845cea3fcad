// Goal: a row whose delete takes longer than a batch may is found, named, and ends the run or is set aside;
// it is not tried for ever. Method: the real program on a table one of whose rows a trigger holds up.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/purge_trial.hpp"

namespace pgsluice::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// The other rows first, the halving, and the row's own tries with their rests.
constexpr std::chrono::seconds kFoundIn{120};

class SlowRow : public PurgeTest, public testing::WithParamInterface<const char*> {
 protected:
  SlowRow() {
    make_audit();
    trial_.db().exec(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF OLD.id = 300 THEN PERFORM "
        "pg_sleep(10); END IF; RETURN NULL; END';"
        "CREATE TRIGGER slow AFTER DELETE ON audit FOR EACH ROW EXECUTE FUNCTION slow()");
  }
  Finished run_with(const std::string& name, const std::string& settings) {
    trial_.job("name = \"" + name + "\"\n" +
               purge_job("audit", where(kOld) + "walk = \"" + GetParam() + "\"",
                         settings + "[batch]\nrows = 100\nrows_min = 50\n[pool]\nlanes = 1\n")
                   .substr(11));
    return test::run(trial_.command("run"), kFoundIn);
  }
};

INSTANTIATE_TEST_SUITE_P(By, SlowRow, testing::Values("keyset", "blocks"),
                         [](const auto& walk) { return std::string(walk.param); });

TEST_P(SlowRow, EndsTheRunWithItsName) {
  const auto finished = run_with("j", "");
  expect_exit(1, finished);
  EXPECT_THAT(refusal_of(finished).message,
              AllOf(HasSubstr("row 300 of"), HasSubstr("longer than a batch may")));
  EXPECT_EQ(count("audit WHERE id = 300"), 1);
}

TEST_P(SlowRow, IsSetAsideIfTheJobAllows) {
  expect_exit(3, run_with("j", "max_quarantined = 1\n"));
  EXPECT_EQ(count("audit WHERE " + std::string(kOld)), 1);
  EXPECT_THAT(run_ok(trial_.text_command("failures")), HasSubstr("300"));
}

}  // namespace
}  // namespace pgsluice::test
