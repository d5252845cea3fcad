// Proves the ground that the other tests stand on: each piece is used against a real server, once.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>

#include "support/db.hpp"
#include "support/private_server.hpp"
#include "support/process.hpp"
#include "support/shared_server.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

TEST(WaitFor, NamesWhatItWaitedForInVain) {
  try {
    wait_for([] { return false; }, std::chrono::milliseconds(20), "the impossible");
    FAIL() << "it must throw";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "waited 20 ms in vain for the impossible");
  }
}

TEST(Process, GivesOutputAndExitCodeOfWhatItRan) {
  const auto finished = run({"sh", {"-c", "echo out; echo err >&2; exit 7"}});
  EXPECT_EQ(finished.exit, (Exit{7, 0}));
  EXPECT_EQ(finished.out, "out\n");
  EXPECT_EQ(finished.err, "err\n");
}

TEST(Process, DoesNotBlockOnMuchOutput) {
  EXPECT_EQ(run({"sh", {"-c", "head -c 5000000 /dev/zero"}}).out.size(), 5'000'000U);
}

TEST(Process, TellsTheSignalThatEndedIt) {
  Process process("sleep", {"600"});
  process.signal(SIGTERM);
  EXPECT_EQ(process.wait(), (Exit{-1, SIGTERM}));
}

TEST(Process, SaysWhyAProgramCannotStart) {
  const auto finished = run({"/nowhere/at/all", {}});
  EXPECT_EQ(finished.code(), 127);
  EXPECT_NE(finished.err.find("No such file"), std::string::npos);
}

TEST(Process, HidesTheCallersDatabaseFromItsChildren) {
  setenv("PGHOST", "production.example", 1);
  EXPECT_EQ(run({"sh", {"-c", "printf %s \"$PGHOST\""}}).out, "");
  unsetenv("PGHOST");
}

TEST(PrivateServer, AnswersOnceMade) {
  PrivateServer server;
  EXPECT_EQ(server.connect().number("SELECT 1"), 1);
}

TEST(PrivateServer, DiesWithTheProcessThatStartedIt) {
  int handle[2];
  ASSERT_EQ(pipe(handle), 0);
  const pid_t owner = fork();
  if (owner == 0) {
    PrivateServer server;
    const pid_t postmaster = server.postmaster_pid();
    const bool told = write(handle[1], &postmaster, sizeof postmaster) == sizeof postmaster;
    kill(getpid(), told ? SIGKILL : SIGABRT);
  }
  pid_t postmaster = 0;
  ASSERT_EQ(read(handle[0], &postmaster, sizeof postmaster), static_cast<ssize_t>(sizeof postmaster));
  waitpid(owner, nullptr, 0);
  wait_for([&] { return !is_alive(postmaster); }, "the end of the server whose owner died");
  close(handle[0]);
  close(handle[1]);
}

TEST(PrivateServer, KeepsCommittedRowsThroughACrash) {
  PrivateServer server;
  Db db(server.create_database("kept"));
  db.exec("CREATE TABLE t (n int); INSERT INTO t SELECT generate_series(1, 1000)");
  const int backend = db.backend_pid();
  server.crash_and_restart();
  EXPECT_FALSE(is_alive(backend));
  EXPECT_EQ(server.connect("kept").number("SELECT sum(n) FROM t"), 500500);
}

TEST(PrivateServer, LeavesNothingBehind) {
  std::filesystem::path folder;
  pid_t postmaster = 0;
  {
    PrivateServer server;
    folder = server.socket_folder();
    postmaster = server.postmaster_pid();
  }
  EXPECT_FALSE(std::filesystem::exists(folder));
  EXPECT_FALSE(is_alive(postmaster));
}

TEST(PrivateServer, TakesSettingsAndReloadsThem) {
  PrivateServer server({.settings = {{"log_statement", "all"}}});
  EXPECT_EQ(server.connect().text("SHOW log_statement"), "all");
  EXPECT_NE(server.log_text().find("SHOW log_statement"), std::string::npos);
  server.set("deadlock_timeout", "2s");
  EXPECT_EQ(server.connect().text("SHOW deadlock_timeout"), "2s");
}

TEST(PrivateServer, ListensOnLoopbackWhenAsked) {
  PrivateServer server({.tcp = true});
  EXPECT_EQ(Db(server.tcp_dsn()).text("SELECT host(inet_server_addr())"), "127.0.0.1");
}

TEST(PrivateServer, StopsAndStartsAgain) {
  PrivateServer server;
  server.stop();
  EXPECT_FALSE(server.running());
  EXPECT_ANY_THROW(server.connect());
  server.start();
  EXPECT_EQ(server.connect().number("SELECT 1"), 1);
}

TEST(SharedServer, GivesEachTestADatabaseOfItsOwn) {
  Db first(fresh_database());
  Db second(fresh_database());
  EXPECT_NE(first.text("SELECT current_database()"), second.text("SELECT current_database()"));
}

TEST(Db, CountsTheDifferencesOfTwoQueries) {
  Db db(fresh_database());
  EXPECT_EQ(differences(db, "SELECT 1", "SELECT 1"), 0);
  EXPECT_EQ(differences(db, "SELECT generate_series(1, 3)", "SELECT generate_series(2, 5)"), 3);
}

TEST(Db, ReadsNullAsAWord) {
  Db db(fresh_database());
  EXPECT_EQ(db.rows("SELECT 1, NULL"), (std::vector<std::vector<std::string>>{{"1", kNull}}));
}

}  // namespace
}  // namespace pgsluice::test
