#include "pg/trial.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "support/environment.hpp"
#include "support/shared_server.hpp"

namespace pgsluice::test {

namespace {

std::string database_of(const std::string& dsn) {
  const auto begin = dsn.find("dbname=") + 7;
  return dsn.substr(begin, dsn.find(' ', begin) - begin);
}

std::vector<Json> json_lines(const std::string& text) {
  std::vector<Json> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("{")) lines.push_back(Json::parse(line));
  }
  return lines;
}

}  // namespace

Trial::Trial() : Trial(SharedServer::get()) {}

Trial::Trial(PrivateServer& server)
    : server_(server),
      database_(database_of(server.fresh_database())),
      program_dsn_(server.dsn(database_)),
      db_(server.dsn(database_)) {}

std::string Trial::make_role(const std::string& suffix, bool is_monitor) {
  const auto role = database_ + "_" + suffix;
  db_.exec("CREATE ROLE " + role + " LOGIN");
  if (is_monitor) db_.exec("GRANT pg_monitor TO " + role);
  db_.exec("GRANT CREATE ON DATABASE " + database_ + " TO " + role);
  db_.exec("GRANT USAGE ON SCHEMA public TO " + role);
  return role;
}

void Trial::job(const std::string& toml) {
  job_ = folder_.write("job.toml", toml);
}

Command Trial::text_command(const std::string& verb, const std::vector<std::string>& args) const {
  std::vector<std::string> all{verb};
  if (!job_.empty()) all.push_back(job_);
  all.insert(all.end(), args.begin(), args.end());
  // Nobody can be asked here, and most tests contract before the steps that prove.
  if (verb == "contract" && args.empty()) all.insert(all.end(), {"--yes", "--unproven"});
  all.insert(all.end(), {"--dsn", program_dsn_});
  return pgsluice(all);
}

Command Trial::command(const std::string& verb, const std::vector<std::string>& args) const {
  auto command = text_command(verb, args);
  command.args.push_back("--json");
  return command;
}

Finished Trial::run(const std::vector<std::string>& args) const {
  return verb("run", args);
}

Finished Trial::verb(const std::string& verb, const std::vector<std::string>& args) const {
  return test::run(command(verb, args), 2 * kPatience);
}

bool Trial::is_untouched() {
  return db_.yes("SELECT to_regnamespace('pgsluice') IS NULL");
}

std::vector<Json> Trial::logged(const std::string& type) {
  std::vector<Json> found;
  for (const auto& fields :
       db_.column("SELECT fields FROM pgsluice.event WHERE type = '" + type + "' ORDER BY event_id")) {
    found.push_back(Json::parse(fields));
  }
  return found;
}

Refusal refusal_of(const Finished& finished) {
  for (const auto& line : json_lines(finished.err)) {
    if (line.value("type", "") != "exit_error") continue;
    return {line.at("code").get<int>(), line.at("message").get<std::string>(), line.value("hint", "")};
  }
  ADD_FAILURE() << "no error was told:\n" << finished.out << finished.err;
  return {};
}

std::vector<Json> events_of(const std::string& out, const std::string& type) {
  auto lines = json_lines(out);
  std::erase_if(lines, [&](const Json& line) { return line.value("type", "") != type; });
  return lines;
}

Json summary_of(const Finished& finished) {
  const auto found = events_of(finished.out, "summary");
  if (found.size() == 1) return found.front();
  ADD_FAILURE() << found.size() << " summaries:\n" << finished.out << finished.err;
  return Json::object();
}

std::string backfill_job(const std::string& table, const std::string& set, const std::string& rest,
                         const std::string& settings) {
  return "name = \"fill\"\n" + settings + "\n[[step]]\nkind = \"backfill\"\nname = \"fill\"\ntable = '" +
         table + "'\nset = { " + set + " }\n" + rest + "\n";
}

void await_batches(Trial& trial, int count) {
  const auto done = [&] {
    return trial.db().yes("SELECT to_regclass('pgsluice.range') IS NOT NULL") &&
           trial.db().number("SELECT coalesce(sum(batches), 0) FROM pgsluice.range") >= count;
  };
  wait_for(done, std::to_string(count) + " batches");
}

void kill_program(Trial& trial, Process& process) {
  process.kill();
  const auto gone = [&] {
    return trial.db().number(
               "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
               "application_name LIKE "
               "'pgsluice %'") == 0;
  };
  wait_for(gone, "the end of the killed program's sessions");
}

}  // namespace pgsluice::test
