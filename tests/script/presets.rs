//! What the presets do.

use serde_json::json;
use standin::{Contract, Fault, Preset, Request, ScriptSettings, Scripts, Settings, Stub, judge::Judge};

use super::{Client, at, body, sampled, script, support};

fn with(preset: &str) -> Client {
    Client::new(vec![json!({"preset": preset})])
}

/// Names of presets with a test of their own below.
const PRESETS: [&str; 7] =
    ["slow-network", "flaky", "rate-limited", "maintenance", "expired-token", "empty-account", "wrong-shape"];

#[test]
fn every_preset_is_read_and_names_its_scripts_after_itself() {
    let names: Vec<_> = Preset::all().iter().map(|preset| preset.name.as_str()).collect();
    assert_eq!(names, PRESETS);
    for preset in Preset::all() {
        let scripts = Scripts::new(&Contract::builtin(), ScriptSettings::default());
        let ids = scripts.add(&json!({"preset": preset.name}), at(0)).unwrap();
        assert_eq!(ids.len(), preset.scripts.len());
        assert!(ids.iter().all(|id| id.starts_with(&preset.name)), "{ids:?}");
    }
}

#[test]
fn a_preset_can_be_for_a_session_and_a_time() {
    let scripts = Client::new(vec![json!({"preset": "maintenance", "session": "a", "for": "10s"})]).scripts;
    let status = |name: &str, now: i64| {
        let mut client = Client::of(std::sync::Arc::clone(&scripts), name);
        client.now = now;
        client.queues().reply.status
    };

    assert_eq!([status("a", 0), status("b", 0), status("a", 10_000)], [503, 200, 200]);
}

#[test]
fn slow_network_has_every_reply_wait_and_come_slowly() {
    let mut client = with("slow-network");
    for _ in 0..10 {
        let course = client.queues().scripted.unwrap().course;
        assert!(!course.delay.is_zero() && course.throttle.is_some());
    }
}

#[test]
fn flaky_has_some_errors_and_some_resets() {
    let mut client = with("flaky");
    let (mut errors, mut resets) = (0, 0);
    for _ in 0..1000 {
        let exchange = client.queues();
        errors += usize::from(exchange.reply.status == 500);
        resets += usize::from(exchange.scripted.is_some_and(|it| it.course.fault == Some(Fault::Reset)));
    }
    assert!((30..75).contains(&errors) && (8..40).contains(&resets), "{errors} {resets}");
}

#[test]
fn rate_limited_refuses_every_second_request() {
    assert_eq!(with("rate-limited").statuses(4), [200, 429, 200, 429]);
}

#[test]
fn maintenance_is_for_all() {
    let mut client = with("maintenance");
    assert_eq!(client.statuses(2), [503, 503]);
    assert_eq!(client.send("GET", "/nowhere", None).reply.status, 503);
    assert_eq!(client.queues().reply.headers.all("retry-after").count(), 1);
}

#[test]
fn expired_token_comes_in_the_middle_and_once() {
    assert_eq!(with("expired-token").statuses(6), [200, 200, 200, 401, 200, 200]);
}

#[test]
fn empty_account_has_lists_that_are_empty_and_still_what_the_contract_allows() {
    let contract = Contract::builtin();
    let judge = Judge::new(&contract).unwrap();
    let stub = Stub::new(contract.clone(), Settings::default());
    let scripts = Scripts::new(&contract, ScriptSettings::default());
    scripts.add(&json!({"preset": "empty-account"}), at(0)).unwrap();
    for (operation, path, list) in [
        ("listAgents", "/agentassist/api/v1/public/st-1/organizations/o-1/agents", "results"),
        ("listQueues", "/agentassist/api/v1/public/st-1/queues", "results"),
        ("listSkillGroups", "/agentassist/api/v1/public/st-1/skill-groups", "results"),
        ("listSkills", "/agentassist/api/v1/public/st-1/skill-groups/g-1/skills", "results"),
        ("listAgentGroups", "/agentassist/api/v1/public/st-1/agent-groups", "results"),
        ("listRoles", "/api/public/roles?roleType=admin", "roles"),
    ] {
        let request = Request::new("GET", path).header("auth", support::TOKEN).header("accountId", "1");

        let exchange = sampled(&stub, &scripts, request);

        assert_eq!(exchange.operation.as_deref(), Some(operation));
        assert!(script(&exchange).is_some(), "{operation}");
        assert_eq!(body(&exchange)[list], json!([]), "{operation}");
        assert_eq!(exchange.scripted.as_ref().unwrap().breaches, [], "{operation}");
        let reply = &exchange.reply;
        assert_eq!(judge.judge(Some(operation), reply.status, &reply.headers, &reply.body), []);
    }
}

#[test]
fn wrong_shape_breaks_every_reply() {
    for operation in Contract::builtin().operations() {
        let contract = Contract::builtin();
        let stub =
            Stub::new(contract.clone(), Settings { checks: standin::Checks::Off, ..Settings::default() });
        let scripts = Scripts::new(&contract, ScriptSettings::default());
        scripts.add(&json!({"preset": "wrong-shape"}), at(0)).unwrap();
        let path = operation.path.replace(['{', '}'], "");
        let mut request = Request::new(&operation.method, &path).header("auth", support::TOKEN);
        if operation.body.is_some() {
            request = request.header("content-type", "application/json").body("{}");
        }

        let exchange = sampled(&stub, &scripts, request);

        assert_eq!(exchange.operation.as_deref(), Some(&*operation.id));
        assert_ne!(exchange.scripted.unwrap().breaches, [], "{}", operation.id);
    }
}
