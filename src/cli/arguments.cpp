#include "cli/arguments.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <chrono>
#include <functional>
#include <initializer_list>
#include <utility>

#include "base/local_time.hpp"
#include "base/password_blot.hpp"
#include "base/units.hpp"
#include "cli/results/acceptance.hpp"
#include "cli/usage_error.hpp"

namespace pgsluice::cli {
namespace {

constexpr const char* kLook = "Look first";
constexpr const char* kWork = "Work";
constexpr const char* kFollow = "Follow";
constexpr const char* kSteer = "Control, from any machine";

constexpr const char* kDescription =
    "pgsluice changes very large PostgreSQL tables in keyed batches while they stay in use.";

constexpr const char* kExitCodes = R"(JOB is a job file; NAME is a job's name in the ledger, or its file.
The connection comes from --dsn, the job file, DATABASE_URL, then libpq's PG* variables.

Exit codes:
   0  done                              10  no such job
   1  failed                            11  other live runs hold every range left
   2  usage                             69  database unreachable
   3  done, rows quarantined            70  internal error
   4  verify mismatch, rows unchanged   75  stopped with work left: run again
   5  refused before any write              (--yield-exit-code replaces it)
   6  paused by an operator             77  privileges, login refused
   7  cancelled by an operator          78  job file
   9  ready for cut-over: run cutover)";

constexpr const char* kGlobalFlagsToo =
    "With every verb: --dsn CONNINFO, --env NAME, --json, --quiet, --log-batches, --yield-exit-code N.\n"
    "`pgsluice --help` explains them and lists the exit codes.";

void add_global_flags(CLI::App& app, Arguments& a) {
  app.add_option("--dsn", a.dsn, "Where to connect: \"host=… dbname=…\" or postgresql://…")
      ->type_name("CONNINFO");
  app.add_option("--env", a.environment, "Overlay [env.NAME] of the job file")->type_name("NAME");
  app.add_flag("--json", a.json, "JSON on stdout: a document, or one event a line");
  app.add_flag("--quiet", a.quiet, "While running, show only warnings and the summary");
  app.add_flag("--log-batches", a.log_batches, "While running, show every batch too");
  app.add_option("--yield-exit-code", a.yield_exit_code,
                 "Exit code instead of 75: 0 for cron, 99 for Airflow")
      ->type_name("N")
      ->check(CLI::Range(0, 255).description(""));
}

/// A flag that takes "90s" or "4h".
void add_duration(CLI::App& verb, const std::string& flag, std::function<void(std::chrono::seconds)> store,
                  const std::string& text) {
  verb.add_option_function<std::string>(
          flag,
          [flag, store = std::move(store)](const std::string& value) {
            const auto duration = base::parse_duration(value);
            if (!duration) {
              throw CLI::ValidationError(flag + " needs a duration with its unit, such as 90s or 4h, not \"" +
                                         value + "\"");
            }
            store(std::chrono::ceil<std::chrono::seconds>(*duration));
          },
          text)
      ->type_name("DURATION");
}

void add_until(CLI::App& verb, Arguments& a) {
  verb.add_option_function<std::string>(
          "--until",
          [&a](const std::string& value) {
            const auto minute = base::parse_time_of_day(value);
            if (!minute)
              throw CLI::ValidationError("--until needs a time of day, such as 06:00, not \"" + value + "\"");
            a.run.until = base::next_local_time(*minute, std::time(nullptr));
          },
          "Stop at this local time")
      ->type_name("HH:MM");
}

void add_run_flags(CLI::App& verb, Arguments& a) {
  add_duration(
      verb, "--for", [&a](std::chrono::seconds s) { a.run.duration = s; }, "Stop after this long");
  add_until(verb, a);
  verb.add_option("--lanes", a.lanes, "Connections that work at the same time, instead of pool.lanes")
      ->type_name("N");
  add_duration(
      verb, "--grace", [&a](std::chrono::seconds s) { a.run.grace = s; },
      "After SIGTERM, wait this long for batches in flight (20s)");
  add_duration(
      verb, "--wait", [&a](std::chrono::seconds s) { a.run.wait = s; },
      "Wait this long for ranges that other live runs hold (0s)");
}

CLI::App& add_verb(CLI::App& app, Arguments& a, Verb verb, const char* group, const char* name,
                   const char* text) {
  auto* added = app.add_subcommand(name, text);
  added->group(group)->fallthrough()->footer(kGlobalFlagsToo);
  added->callback([&a, verb] { a.verb = verb; });
  return *added;
}

void takes_job(CLI::App& verb, Arguments& a) {
  verb.add_option("JOB", a.job, "Job file")->required()->type_name("");
}

void takes_folder(CLI::App& verb, Arguments& a) {
  verb.add_option("JOB", a.job, "Job file, or a folder of them")->required()->type_name("");
}

void takes_name(CLI::App& verb, Arguments& a) {
  verb.add_option("NAME", a.name, "Job in the ledger, or its file")->required()->type_name("");
}

/// "a,b,c", at once or one after the other.
template <class Option>
void takes_list(Option* option, const char* type) {
  option->delimiter(',')->allow_extra_args(false)->type_name(type);
}

void takes_yes(CLI::App& verb, Arguments& a) {
  verb.add_flag("--yes", a.is_yes_said, "Do not ask for confirmation");
}

/// What an environment that asks first wants to be told.
void takes_word(CLI::App& verb, Arguments& a) {
  takes_yes(verb, a);
  takes_list(verb.add_option("--accept", a.accepted,
                             "Where check must be clean: warnings that may stand, such as long-transactions"),
             "WARNING,…");
}

void takes_reason(CLI::App& verb, Arguments& a) {
  verb.add_option("--reason", a.reason, "Why, for the event log and your colleagues")->type_name("TEXT");
}

void add_backfill(CLI::App& app, Arguments& a) {
  auto& verb = add_verb(app, a, Verb::kBackfill, kWork, "backfill", "Run one backfill without a job file");
  verb.add_option("--table", a.backfill.table, "Table, with or without its schema")
      ->required()
      ->type_name("TABLE");
  verb.add_option("--set", a.backfill.set, "\"column = expression\"; may be repeated")
      ->required()
      ->allow_extra_args(false)
      ->type_name("ASSIGNMENT");
  verb.add_option("--where", a.backfill.where, "Rows to change; default: all")->type_name("CONDITION");
  verb.add_option("--key", a.backfill.key, "Columns of a unique key; default: the primary key")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("COLUMN,…");
  verb.add_option("--name", a.backfill.name, "Name in the ledger; default: made from the table")
      ->type_name("NAME");
  add_run_flags(verb, a);
  takes_word(verb, a);
}

Walk walk_of(const std::string& name) {
  for (const Walk walk : {Walk::kAuto, Walk::kKeyset, Walk::kBlocks, Walk::kInterleaved}) {
    if (name == walk_name(walk)) return walk;
  }
  throw CLI::ValidationError("--walks knows keyset, blocks and interleaved, not \"" + name + "\"");
}

void add_bench(CLI::App& app, Arguments& a) {
  auto& verb = add_verb(app, a, Verb::kBench, kLook, "bench",
                        "Measure which batch size, number of lanes and walk work best");
  takes_job(verb, a);
  auto& options = a.bench;
  verb.add_option("--step", options.step, "Backfill step; needed if there are several")->type_name("NAME");
  verb.add_flag("--copy", options.on_copy,
                "Work on copies of the table; without it each batch is rolled back");
  add_duration(
      verb, "--for", [&options](std::chrono::seconds s) { options.duration = s; },
      "At most this long (5min)");
  takes_list(verb.add_option("--sizes", options.sizes, "Rows of a batch (200,1000,3000,10000)"), "N,…");
  takes_list(verb.add_option("--lanes", options.lanes, "Lanes (1,2,4)"), "N,…");
  takes_list(verb.add_option_function<std::vector<std::string>>(
                 "--walks",
                 [&options](const std::vector<std::string>& names) {
                   for (const auto& name : names) options.walks.push_back(walk_of(name));
                 },
                 "keyset,blocks,interleaved; default: all that can be measured"),
             "WALK,…");
  verb.add_option("--repeat", options.repeat, "Trials of each setting (3)")->type_name("N");
  verb.add_option("--traffic", options.traffic, "pgbench script to run during the trials")->type_name("FILE");
  verb.add_option("--seed", options.seed, "Seed for the order of the trials; default: random")
      ->type_name("N");
  verb.add_option("--csv", a.csv, "Also write the figures as CSV")->type_name("FILE");
  verb.add_option("--html", a.html, "Also write a page with plots")->type_name("FILE");
}

void add_work(CLI::App& app, Arguments& a) {
  auto& plan = add_verb(app, a, Verb::kPlan, kLook, "plan",
                        "Show every statement in order with its lock, and what it will cost; keeps nothing");
  takes_folder(plan, a);
  plan.add_flag_callback(
      "--no-sample", [&a] { a.plan.is_sampled = false; },
      "Do not run small batches and roll them back for the estimates: write nothing at all");
  takes_folder(add_verb(app, a, Verb::kCheck, kLook, "check",
                        "Preflight: would run refuse, and what to watch out for"),
               a);

  add_bench(app, a);

  auto& run = add_verb(app, a, Verb::kRun, kWork, "run", "Start jobs, or continue where they stopped");
  run.add_option("JOB", a.jobs, "Job files, or folders of them, in this order")->required()->type_name("");
  add_run_flags(run, a);
  takes_word(run, a);
  add_backfill(app, a);
  auto& verify = add_verb(app, a, Verb::kVerify, kWork, "verify", "Prove the result");
  takes_folder(verify, a);
  verify.add_flag("--repair", a.verify.repair, "Mend rows of a copy that are missing or different");
  auto& rollback = add_verb(app, a, Verb::kRollback, kWork, "rollback", "Undo the steps, last one first");
  takes_folder(rollback, a);
  rollback.add_option("--to", a.last, "Of a folder: the last job that stays")->type_name("NAME");
  takes_word(rollback, a);
  rollback.add_flag("--force", a.is_forced, "Put old values back also where others changed them since");
  add_run_flags(rollback, a);
  auto& drop_undo = add_verb(app, a, Verb::kDropUndo, kWork, "drop-undo",
                             "Free the old values that a job keeps; then it cannot be rolled back");
  takes_name(drop_undo, a);
  takes_yes(drop_undo, a);
  auto& cutover = add_verb(app, a, Verb::kCutover, kWork, "cutover",
                           "Cut over a retype: old and new columns exchange names");
  takes_name(cutover, a);
  takes_yes(cutover, a);
  add_duration(
      cutover, "--kill-blockers-after", [&a](std::chrono::seconds s) { a.kill_blockers_after = s; },
      "End blocking sessions whose transaction is older (never)");
  auto& switching = add_verb(app, a, Verb::kSwitch, kWork, "switch",
                             "End the following of a copy: its source takes no more changes");
  takes_name(switching, a);
  takes_yes(switching, a);
  switching
      .add_option_function<std::string>(
          "--pause",
          [&a](const std::string& value) {
            const auto pause = base::parse_duration(value);
            if (!pause || pause->count() == 0)
              throw CLI::ValidationError(
                  "--pause needs a duration with its unit, such as 5s or 500ms, not \"" + value + "\"");
            a.pause = *pause;
          },
          "How long writers at the source may wait (5s)")
      ->type_name("DURATION");
  auto& contract =
      add_verb(app, a, Verb::kContract, kWork, "contract", "Drop the old columns; cannot be undone");
  takes_name(contract, a);
  takes_yes(contract, a);
  contract.add_flag("--unproven", a.contract.unproven, "Even if verify steps below it are not done");
}

void add_follow(CLI::App& app, Arguments& a) {
  auto& status = add_verb(app, a, Verb::kStatus, kFollow, "status", "Show where jobs stand, from the ledger");
  status.add_option("NAME", a.name, "Job in the ledger, its file, or a folder of files; default: all jobs")
      ->type_name("");
  takes_name(
      add_verb(app, a, Verb::kWatch, kFollow, "watch", "Show the status, refreshed, until the job ends"), a);
  auto& history = add_verb(app, a, Verb::kHistory, kFollow, "history", "Show the event log of a job");
  takes_name(history, a);
  history.add_option("--limit", a.limit, "How many of the newest events to show (100)")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000).description(""));
  takes_name(
      add_verb(app, a, Verb::kFailures, kFollow, "failures", "Show quarantined rows with their errors"), a);
}

void add_adopt(CLI::App& app, Arguments& a) {
  auto& adopt = add_verb(app, a, Verb::kAdopt, kSteer, "adopt",
                         "Note the first jobs of a folder as applied by others; runs nothing");
  adopt.add_option("FOLDER", a.job, "Folder of job files")->required()->type_name("");
  adopt.add_option("--up-to", a.last, "The last job that is applied")->required()->type_name("NAME");
  takes_reason(adopt, a);
}

void add_steer(CLI::App& app, Arguments& a, bool& rolled_back) {
  const struct {
    Verb verb;
    const char* name;
    const char* text;
  } controls[] = {{Verb::kPause, "pause", "Start no new batch until resumed"},
                  {Verb::kResume, "resume", "Undo a pause or a cancel"},
                  {Verb::kCancel, "cancel", "End the job's runs for good"}};
  for (const auto& control : controls) {
    auto& verb = add_verb(app, a, control.verb, kSteer, control.name, control.text);
    takes_name(verb, a);
    takes_reason(verb, a);
  }
  auto& set = add_verb(app, a, Verb::kSet, kSteer, "set", "Change limits while the job runs");
  takes_name(set, a);
  set.add_option("SETTING", a.settings, "key=value, such as batch.target=500ms")->required()->type_name("");
  takes_reason(set, a);
  auto& resolve = add_verb(app, a, Verb::kResolve, kSteer, "resolve",
                           "Correct the ledger by hand: a step, or a whole job");
  takes_name(resolve, a);
  resolve.add_option("STEP", a.step, "Name of the step; default: the whole job")->type_name("");
  resolve.add_flag("--applied", a.is_applied, "Its work is in the database");
  resolve.add_flag("--rolled-back", rolled_back, "Its work is not in the database");
  takes_reason(resolve, a);
  add_adopt(app, a);
}

// ----- the command line to run again

bool is_plain(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
         std::string_view("_-./:=,+@%").find(c) != std::string_view::npos;
}

std::string shell_quoted(const std::string& word) {
  if (!word.empty() && std::all_of(word.begin(), word.end(), is_plain)) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

std::string to_give_again(const std::vector<std::string>& words) {
  std::string line = "pgsluice";
  for (const auto& word : words) {
    if (base::without_passwords(word) != word) return {};
    line += " " + shell_quoted(word);
  }
  return line;
}

}  // namespace

Arguments parse_arguments(const std::vector<std::string>& words) {
  Arguments a;
  bool rolled_back = false;
  CLI::App app(kDescription, "pgsluice");
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.set_version_flag("--version", "pgsluice " PGSLUICE_VERSION, "Print the version and exit");
  app.get_formatter()->label("SUBCOMMAND", "VERB");
  app.get_formatter()->label("Positionals", "Arguments");
  app.get_formatter()->label("REQUIRED", "");  // the usage line shows it
  app.get_formatter()->column_width(28);
  app.require_subcommand(1)->footer(kExitCodes);
  add_global_flags(app, a);
  add_work(app, a);
  add_follow(app, a);
  add_steer(app, a, rolled_back);
  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));  // it takes them from the back
  } catch (const CLI::CallForVersion& version) {
    a.answer = std::string(version.what()) + "\n";
  } catch (const CLI::CallForHelp&) {
    a.answer = app.help();
  } catch (const CLI::ParseError& mistake) {
    throw as_usage_error(app, mistake);
  }
  if (a.answer.empty() && a.verb == Verb::kResolve && a.is_applied == rolled_back) {
    throw Error(ExitCode::kUsage, "resolve needs either --applied or --rolled-back", help_hint(app));
  }
  require_warnings(a.accepted);
  a.command_line = to_give_again(words);
  return a;
}

}  // namespace pgsluice::cli
