import add_a_layer


def test_the_worked_example_of_a_new_layer_agrees_with_its_reference():
    assert add_a_layer.compared("cuda") < 1e-12
