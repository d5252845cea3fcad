// Goal: a warning stops a run unless it is accepted by its name, and a job that has begun is not stopped by
// what it may have caused. Method: findings in, names out; the list of names is compared with the source.
#include "cli/results/acceptance.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "pgsluice/error.hpp"

namespace pgsluice::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Level = Finding::Level;

const std::vector<Finding> kFindings = {{Level::kRefuse, "key", "no key", "", 5},
                                        {Level::kWarn, "long transactions", "pid 1", "", 0},
                                        {Level::kWarn, "long transactions", "pid 2", "", 0},
                                        {Level::kWarn, "slots", "1 GB", "", 0},
                                        {Level::kInform, "size", "10 rows", "", 0}};

TEST(Acceptance, IsNeededForEveryWarningBeforeAJobBegins) {
  EXPECT_THAT(stopping_warnings(kFindings, {}, Judged::kBeforeItBegins),
              ElementsAre("long-transactions", "slots"));
  EXPECT_THAT(stopping_warnings(kFindings, {"slots"}, Judged::kBeforeItBegins),
              ElementsAre("long-transactions"));
  EXPECT_THAT(stopping_warnings(kFindings, {"slots", "long-transactions"}, Judged::kBeforeItBegins),
              IsEmpty());
}

TEST(Acceptance, IsNeededOnlyForWhatOthersDoOnceAJobHasBegun) {
  EXPECT_THAT(stopping_warnings(kFindings, {}, Judged::kOnceBegun), ElementsAre("long-transactions"));
  EXPECT_THAT(stopping_warnings(kFindings, {"long-transactions"}, Judged::kOnceBegun), IsEmpty());
}

TEST(Acceptance, OfAnUnknownWarningIsAUsageErrorThatHelps) {
  const auto mistake = [](const std::string& name) {
    try {
      require_warnings({"slots", name});
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kUsage);
      return error.what() + (" | " + error.hint());
    }
    return std::string();
  };
  EXPECT_EQ(mistake("long-transaction"),
            "--accept: check has no warning \"long-transaction\" | did you mean \"long-transactions\"?");
  EXPECT_THAT(mistake("everything"), HasSubstr("its warnings are backups, before-images, "));
  EXPECT_EQ(mistake("triggers"), "");
}

/// All of the engine's source.
std::string source() {
  std::string all;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(std::string(PGSLUICE_SOURCE_FOLDER) + "/src")) {
    if (entry.path().extension() != ".cpp") continue;
    std::ifstream in(entry.path());
    all.append(std::istreambuf_iterator<char>(in), {});
  }
  return all;
}

TEST(Acceptance, KnowsEveryWarningThatIsWritten) {
  const std::set<std::string> known(kWarnings.begin(), kWarnings.end());
  const auto text = source();
  const std::regex written("findings\\.warn\\(\\s*\"([^\"]+)\"");
  int count = 0;
  for (std::sregex_iterator it(text.begin(), text.end(), written), end; it != end; ++it, ++count)
    EXPECT_TRUE(known.contains((*it)[1])) << (*it)[1] << " is missing in kWarnings";
  EXPECT_GT(count, 20);
  for (const auto& name : known) EXPECT_THAT(text, HasSubstr("\"" + name + "\""));
}

}  // namespace
}  // namespace pgsluice::cli
