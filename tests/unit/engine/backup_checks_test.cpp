// Goal: an archiver that fails is warned of, no backup at all is told, and any sign of one keeps quiet;
// nothing ever refuses. Method: what a server shows in, findings out.
#include "engine/preflight/backup_checks.hpp"

#include <gmock/gmock.h>

namespace pgsluice::engine {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<Finding> judged(const pg::BackupTraces& traces) {
  Findings findings;
  judge_backups(traces, findings);
  return findings.worst_first();
}

TEST(BackupChecks, WarnOfAnArchiverThatFails) {
  pg::BackupTraces traces;
  traces.is_archiving = true;
  EXPECT_THAT(judged(traces), IsEmpty());
  traces.is_archiver_failing = true;
  traces.archiver_failures = 1'200;
  traces.last_failed_wal = "00000001000000000000002A";
  traces.tool = "monitor.pgbackrest_info";
  const auto found = judged(traces);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].level, Finding::Level::kWarn);
  EXPECT_THAT(found[0].message, AllOf(HasSubstr("1,200 failures"), HasSubstr("00000001000000000000002A"),
                                      HasSubstr("nothing was ever archived")));
}

TEST(BackupChecks, TellThatNoBackupIsKnown) {
  const auto found = judged({});
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].level, Finding::Level::kInform);
  EXPECT_THAT(found[0].message, HasSubstr("archive_mode is off"));
}

TEST(BackupChecks, KeepQuietAtAnySignOfABackup) {
  pg::BackupTraces in_progress, received, tool;
  in_progress.base_backups = 1;
  received.wal_receivers = 1;
  tool.tool = "monitor.pgbackrest_info";
  for (const auto& traces : {in_progress, received, tool}) EXPECT_THAT(judged(traces), IsEmpty());
}

TEST(BackupChecks, TakeOldFailuresForNothingWhereNothingIsArchived) {
  pg::BackupTraces traces;
  traces.is_archiver_failing = true;
  const auto found = judged(traces);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].level, Finding::Level::kInform);
}

}  // namespace
}  // namespace pgsluice::engine
