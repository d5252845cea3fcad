// Goal: connection strings are read as libpq reads them, get limits where the user gave none, and never show
// a password.

#include "pg/connection/connection_target.hpp"

#include <gtest/gtest.h>

#include "pgsluice/error.hpp"

namespace pgsluice::pg {
namespace {

TEST(ConnectionTarget, ShowsWhereToButNeverThePassword) {
  const ConnectionTarget target("postgresql://alice:s3cret@db1:6432/app");
  EXPECT_EQ(target.display(), "database \"app\" on db1:6432 as alice");
  EXPECT_EQ(target.display().find("s3cret"), std::string::npos);
}

TEST(ConnectionTarget, KeepsWhatTheUserSaidAndAddsLimitsWhereHeSaidNothing) {
  const auto conninfo = ConnectionTarget("host=db1 dbname=app connect_timeout=42").conninfo("pgsluice test");
  EXPECT_NE(conninfo.find("connect_timeout='42'"), std::string::npos) << conninfo;
  EXPECT_NE(conninfo.find("tcp_user_timeout='10000'"), std::string::npos) << conninfo;
  EXPECT_NE(conninfo.find("application_name='pgsluice test'"), std::string::npos) << conninfo;
}

TEST(ConnectionTarget, QuotesValuesThatHoldQuotesAndSpaces) {
  const auto conninfo = ConnectionTarget("dbname='it\\'s' password='a\\'b c'").conninfo("x");
  const ConnectionTarget again(conninfo);
  EXPECT_NE(again.conninfo("x").find("password='a\\'b c'"), std::string::npos);
}

TEST(ConnectionTarget, RefusesAnUnreadableStringWithoutRepeatingIt) {
  try {
    ConnectionTarget("host=db1 s3cret");
    FAIL() << "was accepted";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::kUsage);
    EXPECT_EQ(std::string(e.what()).find("s3cret"), std::string::npos);
    EXPECT_FALSE(e.hint().empty());
  }
}

}  // namespace
}  // namespace pgsluice::pg
