//! A whole run: a workload, and what the machine can do at most when that is wanted.

use super::{
    ceiling::measure,
    descriptors,
    options::{LoadError, LoadOptions},
    phases::Watch,
    plan::Workload,
    report::LoadReport,
    subject::Subject,
    workload::PreparedRun,
};

/// Runs a workload.
///
/// # Errors
/// When it could not begin.
pub async fn run(options: &LoadOptions, watch: Watch<'_>) -> Result<LoadReport, LoadError> {
    options.plan.check().map_err(LoadError::Plan)?;
    if options.limit.is_some() {
        measure::check(&options.plan)?;
    }
    let passing = if options.plan.workload == Workload::Churn { 4_096 } else { 0 };
    descriptors::raise(u64::from(options.plan.residents()) + passing)?;
    if let Some(pinning) = options.pinning {
        pinning.for_servers()?;
    }
    let subject =
        Subject::open(&options.place, &options.trust, options.plaintext, options.pid).await?;
    if let Some(pinning) = options.pinning {
        pinning.for_tool()?;
    }
    let judges_rosters = options.plan.dialect.tells_presence();
    let mut report =
        PreparedRun::set(options, &subject, judges_rosters)?.run(options, &subject, watch).await?;
    let is_measured = match options.plan.workload {
        Workload::JoinStorm => report.joining.history.is_some(),
        _ => report.traffic.is_some(),
    };
    if let (Some(program), true) = (&options.limit, is_measured) {
        drop(subject);
        measure::measure(options, program, &mut report, watch).await?;
    }
    Ok(report)
}
