// A program with a kind of its own: runs the job file that it is given, so that a test can kill it.

#include <cstdio>

#include "kinds/table_of_kinds.hpp"
#include "pg/view_kind.hpp"
#include "pgsluice/engine.hpp"
#include "pgsluice/job_file.hpp"

namespace {

struct SilentSink : pgsluice::EventSink {
  void publish(pgsluice::Event /*event*/) override {}
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  try {
    pgsluice::engine::add_kind(pgsluice::engine::entry_of<pgsluice::engine::ViewKind>());
    const auto file = pgsluice::load_job_file(argv[2], "");
    for (const auto& mistake : file.diagnostics) std::fprintf(stderr, "%s\n", to_string(mistake).c_str());
    if (!file.ok()) return 2;
    SilentSink sink;
    return static_cast<int>(pgsluice::Engine(argv[1]).run(file.job, {}, sink));
  } catch (const pgsluice::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return static_cast<int>(error.code());
  }
}
