#include "pg/folder_trial.hpp"

#include <gtest/gtest.h>

#include "support/environment.hpp"

namespace pgsluice::test {

std::string sql_job_of(const std::string& name, const std::string& up, const std::string& rest) {
  return "name = \"" + name + "\"\n[[step]]\nkind = \"sql\"\nname = \"change\"\nup = '" + up + "'\n" + rest +
         "\n";
}

FolderTrial::FolderTrial() {
  std::filesystem::create_directory(path());
  db().exec("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 10)");
  trial_.job_file(path());
}

void FolderTrial::write(const std::string& file, const std::string& toml) const {
  folder_.write("jobs/" + file, toml);
}

void FolderTrial::add(const std::string& file, const std::string& name, const std::string& rest) const {
  const std::string down = "down = \"ALTER TABLE t DROP COLUMN " + name + "\"";
  write(file, sql_job_of(name, "ALTER TABLE t ADD COLUMN " + name + " int", rest.empty() ? down : rest));
}

void FolderTrial::add_three() const {
  add("1.toml", "one");
  add("2.toml", "two");
  add("3.toml", "three");
}

Finished FolderTrial::verb(const std::string& verb, const std::vector<std::string>& args) const {
  return trial_.verb(verb, args);
}

Finished FolderTrial::on_job(const std::string& verb, std::vector<std::string> args) const {
  args.insert(args.begin(), verb);
  args.insert(args.end(), {"--dsn", trial_.dsn(), "--json"});
  return test::run(pgsluice(args));
}

Json FolderTrial::status() const {
  const auto finished = verb("status");
  EXPECT_EQ(finished.code(), 0) << finished.err;
  return finished.code() == 0 ? Json::parse(finished.out) : Json::object();
}

Json FolderTrial::standing(const std::string& name) const {
  const auto all = status();
  for (const auto& job : all.at("jobs")) {
    if (job.at("name") == name) return job;
  }
  ADD_FAILURE() << name << " is not in " << all;
  return Json::object();
}

std::vector<std::string> FolderTrial::states() const {
  const auto all = status();
  std::vector<std::string> states;
  for (const auto& job : all.at("jobs")) states.push_back(job.at("state"));
  return states;
}

bool FolderTrial::has_column(const std::string& name) {
  return db().yes(
      "SELECT count(*) = 1 FROM pg_attribute WHERE attrelid = 't'::regclass AND NOT attisdropped AND attname "
      "= '" +
      name + "'");
}

}  // namespace pgsluice::test
