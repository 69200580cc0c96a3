"""One page for people without Grafana: boards, rooms, alerts, replay."""
