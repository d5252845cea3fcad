#include "lanes/batch/copy_step.hpp"

#include "lanes/batch/at_rows.hpp"
#include "lanes/batch/source_batch.hpp"
#include "pg/catalog/heap.hpp"
#include "table/copy/copy_facts.hpp"
#include "table/copy/kept_rows.hpp"
#include "table/copy/kept_sql.hpp"
#include "table/follow/follow_facts.hpp"

namespace pgsluice::engine {

std::unique_ptr<pg::Session> open_source(const CopyStep& step) {
  const auto from = source_of(step);
  if (!from) return nullptr;
  try {
    auto source = std::make_unique<pg::Session>(*from, kSourceLook);
    source->give_up_after(kSourceSilence);
    return source;
  } catch (const pg::Failure& f) {
    throw SourceFailure(f, std::nullopt);
  }
}

void with_source(pg::Session& target, const CopyStep& step, const std::function<void(pg::Session&)>& work) {
  const auto source = open_source(step);
  work(source ? *source : target);
}

PreparedBackfill prepare_copy(pg::Session& session, const CopyStep& step, std::int64_t step_id,
                              const std::string& queue_sql) {
  PreparedBackfill prepared;
  prepared.step_id = step_id;
  prepared.definition.name = step.name;
  prepared.definition.table = step.from;
  prepared.definition.walk = Walk::kKeyset;
  prepared.choice.walk = Walk::kKeyset;
  with_source(session, step, [&](pg::Session& source) {
    auto copying = read_copy_facts(source, session, step).copying;
    if (!queue_sql.empty()) add_follow(session, queue_sql, copying);
    if (step.keep) {
      copying.kept = kept_rows(session, copying.to, step, step_id);
      create_images_as(session, *copying.kept, step.keep_for, create_kept_sql(*copying.kept));
    }
    try_copy(source, session, copying);
    prepared.table = copying.from;
    prepared.table.rows_estimate = count_rows(source, prepared.table);
    prepared.keyset.emplace(prepared.table.sql(), copying.key);
    prepared.copying = std::make_shared<const Copying>(std::move(copying));
  });
  prepared.ground.cache_pages = pg::cache_pages(session);
  prepared.deadlock_timeout = std::chrono::milliseconds{pg::deadlock_timeout_ms(session)};
  return prepared;
}

Prepare copying_of(CopyStep step, std::string queue_sql) {
  return [step = std::move(step), queue_sql = std::move(queue_sql)](pg::Session& session,
                                                                    std::int64_t step_id, int /*lanes*/) {
    return prepare_copy(session, step, step_id, queue_sql);
  };
}

}  // namespace pgsluice::engine
