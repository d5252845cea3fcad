// Goal: the style and the character set follow what the caller asked for and what the environment says.
#include "report/live/terminal.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <string>

#include "pgsluice/report.hpp"
#include "unit/report/samples.hpp"

namespace pgsluice::report {
namespace {

/// Sets an environment variable (or unsets it) until the scope ends.
class Environment {
 public:
  Environment(const char* name, const char* value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    value != nullptr ? setenv(name, value, 1) : unsetenv(name);
  }
  ~Environment() { before_ ? setenv(name_, before_->c_str(), 1) : unsetenv(name_); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

TEST(Terminal, TakesTheCharacterSetFromTheFirstVariableThatIsSet) {
  const Environment all("LC_ALL", "");
  const Environment ctype("LC_CTYPE", "C");
  const Environment lang("LANG", "de_DE.UTF-8");
  EXPECT_FALSE(locale_is_utf8());
  const Environment nearer("LC_ALL", "en_US.utf8@euro");
  EXPECT_TRUE(locale_is_utf8());
}

TEST(Terminal, IsAsciiWithoutAnyLocale) {
  const Environment all("LC_ALL", nullptr);
  const Environment ctype("LC_CTYPE", nullptr);
  const Environment lang("LANG", nullptr);
  EXPECT_FALSE(locale_is_utf8());
}

TEST(Terminal, HasAUsualSizeWhereNoneIsTold) {
  std::FILE* file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  const Terminal terminal = read_terminal(file, true);
  std::fclose(file);
  EXPECT_EQ(terminal.columns, 80U);
  EXPECT_EQ(terminal.rows, 24U);
  EXPECT_TRUE(terminal.color);
}

TEST(ReportStyle, PrefersJsonThenQuiet) {
  EXPECT_EQ(choose_report_style(true, true), ReportStyle::kJson);
  EXPECT_EQ(choose_report_style(false, true), ReportStyle::kQuiet);
}

TEST(ReportStyle, IsLinesOnADumbTerminal) {
  const Environment term("TERM", "dumb");
  EXPECT_EQ(choose_report_style(false, false), ReportStyle::kLines);
  EXPECT_FALSE(choose_color());
}

TEST(ReportStyle, HonoursNoColor) {
  const Environment term("TERM", "xterm");
  const Environment no_color("NO_COLOR", "1");
  EXPECT_FALSE(choose_color());
}

}  // namespace
}  // namespace pgsluice::report
