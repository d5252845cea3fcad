// Goal: JOB, NAME and the connection are found where the manual says. Method: real files in a temporary
// folder.
#include "cli/job_source.hpp"

#include <gmock/gmock.h>
#include <stdlib.h>

#include <fstream>

namespace pgsluice::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

namespace fs = std::filesystem;

constexpr const char* kJob = R"(name = "fill-users"
dsn = "host=of-file"
[[step]]
kind = "verify"
name = "all"
query = "SELECT true"
expect = "t"
)";

class JobSource : public testing::Test {
 protected:
  JobSource() {
    std::string pattern = (fs::temp_directory_path() / "pgsluice-cli-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    unsetenv("DATABASE_URL");
  }
  ~JobSource() override { fs::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    return (folder_ / name).string();
  }

  fs::path folder_;
};

template <class Call>
Error error_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  return Error(ExitCode::kDone, "no error");
}

TEST_F(JobSource, FolderIsItsJobFilesInNameOrder) {
  const auto b = write("b.toml", kJob);
  const auto a = write("a.toml", kJob);
  write("readme.md", "");
  const auto c = write("c.toml", kJob);
  EXPECT_THAT(expand_jobs({c, folder_.string()}), ElementsAre(c, a, b, c));
}

TEST_F(JobSource, FolderWithoutJobFilesIsAMistake) {
  write("readme.md", "");
  EXPECT_EQ(error_of([&] { expand_jobs({folder_.string()}); }).code(), ExitCode::kUsage);
}

TEST_F(JobSource, EveryMistakeOfAFileIsPrintedWithItsPlace) {
  const auto path = write("a.toml", "name = \"a\"\n[batch]\ntargt = \"1s\"\nrows = \"x\"\n");
  testing::internal::CaptureStderr();
  const auto error = error_of([&] { load_job(path, ""); });
  const auto printed = testing::internal::GetCapturedStderr();
  EXPECT_EQ(error.code(), ExitCode::kJobFile);
  EXPECT_THAT(printed, HasSubstr(path + ":3:1: error: "));
  EXPECT_THAT(printed, HasSubstr(path + ":4:8: error: "));
  EXPECT_THAT(printed, HasSubstr("  hint: did you mean \"target\"?"));
}

TEST_F(JobSource, MistakesOfFlagsAreUsageErrors) {
  BackfillFlags flags;
  flags.table = "users";
  flags.set = {"a = 1) ; drop table x; --"};
  testing::internal::CaptureStderr();
  const auto error = error_of([&] { job_of_flags(flags); });
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("--set: error: "));
  EXPECT_EQ(error.code(), ExitCode::kUsage);
}

TEST_F(JobSource, NameStandsForItselfUnlessItIsAFile) {
  Arguments arguments;
  arguments.name = "fill-users";
  EXPECT_EQ(find_ledger_job(arguments).name, "fill-users");
  arguments.name = write("a.toml", kJob);
  EXPECT_EQ(find_ledger_job(arguments).name, "fill-users");
  EXPECT_EQ(find_ledger_job(arguments).dsn, "host=of-file");
  arguments.name = write("a-job", kJob);
  EXPECT_EQ(find_ledger_job(arguments).name, "fill-users") << "an existing file, whatever its name";
  arguments.name = folder_.string();
  EXPECT_EQ(find_ledger_job(arguments).name, folder_.string()) << "a folder is no job file";
}

TEST_F(JobSource, MissingJobFileIsNotTakenForAName) {
  Arguments arguments;
  arguments.name = (folder_ / "none.toml").string();
  EXPECT_EQ(error_of([&] { find_ledger_job(arguments); }).code(), ExitCode::kJobFile);
}

TEST_F(JobSource, FlagBeatsFileBeatsEnvironment) {
  EXPECT_EQ(choose_dsn("", ""), "");
  setenv("DATABASE_URL", "host=of-environment", 1);
  EXPECT_EQ(choose_dsn("", ""), "host=of-environment");
  EXPECT_EQ(choose_dsn("", "host=of-file"), "host=of-file");
  EXPECT_EQ(choose_dsn("host=of-flag", "host=of-file"), "host=of-flag");
  unsetenv("DATABASE_URL");
}

}  // namespace
}  // namespace pgsluice::cli
