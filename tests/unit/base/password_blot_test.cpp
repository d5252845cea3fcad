// Goal: no spelling of a password that libpq takes stays readable, and nothing else is touched.
#include "base/password_blot.hpp"

#include <gtest/gtest.h>

namespace pgsluice::base {
namespace {

TEST(PasswordBlot, CoversEverySpellingThatLibpqTakes) {
  const struct {
    const char* given;
    const char* blotted;
  } cases[] = {{"host=h password=hush user=u", "host=h password=xxxx user=u"},
               {"password = hush user=u", "password = xxxx user=u"},
               {"password='hu sh' user=u", "password='xxxxx' user=u"},
               {"password='hu\\'sh' user=u", "password='xxxxxx' user=u"},
               {"password=hu\\ sh user=u", "password=xxxxxx user=u"},
               {"password=a&b=c user=u", "password=xxxxx user=u"},
               {"sslpassword=hush", "sslpassword=xxxx"},
               {"password=one password=two", "password=xxx password=xxx"},
               {"PGPASSWORD=hush psql", "PGPASSWORD=xxxx psql"},
               {"--dsn=password=hush", "--dsn=password=xxxx"},
               {"postgresql://u:hush@h:5432/d", "postgresql://u:xxxx@h:5432/d"},
               {"postgres://u:hu@sh/@h/d", "postgres://u:xxxxxx@h/d"},
               {"postgresql://u@h/d?password=hush", "postgresql://u@h/d?password=xxxx"},
               {"password='hush", "password='xxxx"},
               {"password=hush\\", "password=xxxxx"}};
  for (const auto& c : cases) EXPECT_EQ(without_passwords(c.given), c.blotted);
}

TEST(PasswordBlot, LeavesOtherWordsAlone) {
  for (const char* word : {"", "run", "host=h user=u", "postgresql://u@h:5432/d", "postgresql://h:5432/d",
                           "password", "password=", "jobs/password-reset.toml", "a@b:c"}) {
    EXPECT_EQ(without_passwords(word), word);
  }
}

TEST(PasswordBlot, OverwritesTheArgumentsInPlace) {
  std::string program = "pgsluice";
  std::string dsn = "postgresql://u:hush@h/d";
  char* argv[] = {program.data(), dsn.data(), nullptr};
  blot_out_passwords(2, argv);
  EXPECT_EQ(program, "pgsluice");
  EXPECT_EQ(dsn, "postgresql://u:xxxx@h/d");
}

}  // namespace
}  // namespace pgsluice::base
