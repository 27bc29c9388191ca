# The lab of real servers (docs/lab.md). Included by the Makefile, whose setup targets bring the environment up to date.
LAB := tests/live/lab.sh

.PHONY: lab lab-connect lab-status lab-stop lab-wipe test-real

lab: setup-run ## build and start a real OpenStack on loopback, and connect it
	@bash $(LAB) up

lab-connect: setup-run ## connect the running lab to this checkout again
	@bash $(LAB) connect

lab-status: ## what of the lab runs, and where its clouds.yaml is
	@bash $(LAB) status

lab-stop: ## stop the lab and keep its data
	@bash $(LAB) stop

lab-wipe: ## stop the lab and delete its data
	@bash $(LAB) wipe

# Exit code 77 says that this machine cannot run the lab; the tests then skip with the reason, or fail if
# TENANTRY_REQUIRE_LAB=1.
test-real: setup ## the contract suite and the stories on the real servers of the lab
	@bash $(LAB) start || [ $$? = 77 ]
	$(BIN)/python -m pytest --live -m live tests/live $(wildcard tests/connectors tests/flows)
